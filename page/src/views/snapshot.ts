/** A view as a PNG file, drawn by the page itself. */

const SCALE = 2; // pixels of the file for each of the screen
const NAMESPACE = "http://www.w3.org/1999/xhtml";

/** Draw an element as it is on the screen, and offer the file. */
export async function savePng(element: HTMLElement, name: string): Promise<void> {
  const [width, height] = [element.scrollWidth, element.scrollHeight];
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(asSvg(element, width, height))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [SCALE * width, SCALE * height];
  canvas.getContext("2d")!.drawImage(image, 0, 0, width, height, 0, 0, canvas.width, canvas.height);
  const link = document.createElement("a");
  link.download = `${name}.png`;
  link.href = canvas.toDataURL("image/png");
  link.click();
}

/** The element in an SVG image, with its style; an image in a canvas's place shows what is drawn on it. */
function asSvg(element: HTMLElement, width: number, height: number): string {
  const copy = element.cloneNode(true) as HTMLElement;
  const drawn = element.querySelectorAll("canvas");
  copy.querySelectorAll("canvas").forEach((canvas, i) => {
    const image = document.createElement("img");
    image.src = drawn[i].toDataURL();
    image.className = canvas.className;
    image.style.cssText = `${canvas.style.cssText}; width: ${drawn[i].clientWidth}px; height: ${drawn[i].clientHeight}px`;
    canvas.replaceWith(image);
  });
  const body = document.createElement("div");
  body.setAttribute("xmlns", NAMESPACE);
  body.style.cssText = `width: ${width}px; background: ${getComputedStyle(element.parentElement!).backgroundColor}`;
  body.style.color = getComputedStyle(document.body).color;
  body.style.colorScheme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const style = document.createElement("style");
  style.textContent = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules].map((rule) => rule.cssText)).join("\n");
  body.append(style, copy);
  const content = new XMLSerializer().serializeToString(body);
  const svg = `xmlns="http://www.w3.org/2000/svg" width="${Math.max(innerWidth, width)}" height="${height}"`; // as wide as the window, for the style
  return `<svg ${svg}><foreignObject width="100%" height="100%">${content}</foreignObject></svg>`;
}
