/** The article's Markdown as blocks of text: what README.md uses of it, no more. */

export type Inline = { kind: "text" | "strong" | "em" | "code" | "math"; text: string };
export type Block =
  | { kind: "paragraph" | "item"; text: Inline[] }
  | { kind: "heading" | "code" | "math" | "figure"; text: string };

const FENCE = /^```\w*\n([\s\S]*?)\n```$/;
const FIGURE = /^!\[([^\]]*)\]\([^)]*\)$/;
const INLINE = /\*\*(.+?)\*\*|\*(.+?)\*|`(.+?)`|\$(.+?)\$|!?\[([^\]]*)\]\([^)]*\)/g;

/** Figures become their descriptions, and links their text. */
export function blocks(markdown: string): Block[] {
  return paragraphs(markdown).flatMap((part): Block[] => {
    const [fence, figure] = [FENCE.exec(part), FIGURE.exec(part)];
    if (fence) return [{ kind: "code", text: fence[1] }];
    if (figure) return [{ kind: "figure", text: figure[1] }];
    if (part.startsWith("$$")) return [{ kind: "math", text: part.replaceAll("$$", "").trim() }];
    if (part.startsWith("#")) return [{ kind: "heading", text: part.replace(/^#+ /, "") }];
    if (/^[-*] /.test(part))
      return part.split(/\n(?=[-*] )/).map((item) => ({ kind: "item", text: inline(item.replace(/^[-*] /, "")) }));
    return [{ kind: "paragraph", text: inline(part) }];
  });
}

/** Parts between empty lines; one block of code is one part, whatever is in it. */
function paragraphs(markdown: string): string[] {
  const parts: string[] = [];
  let inCode = false;
  for (const part of markdown.trim().split(/\n{2,}/)) {
    if (inCode) parts.push(`${parts.pop()}\n\n${part}`);
    else parts.push(part);
    if ((part.match(/^```/gm)?.length ?? 0) % 2) inCode = !inCode;
  }
  return parts.filter(Boolean);
}

export function inline(text: string): Inline[] {
  const found: Inline[] = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > end) found.push({ kind: "text", text: text.slice(end, match.index) });
    const [whole, strong, em, code, math, link] = match;
    if (strong) found.push({ kind: "strong", text: strong });
    else if (em) found.push({ kind: "em", text: em });
    else if (code) found.push({ kind: "code", text: code });
    else if (math) found.push({ kind: "math", text: math });
    else found.push({ kind: "text", text: link });
    end = match.index + whole.length;
  }
  if (end < text.length) found.push({ kind: "text", text: text.slice(end) });
  return found;
}

const SYMBOLS: Record<string, string> = {
  times: "×",
  cdot: "·",
  ldots: "…",
  lfloor: "⌊",
  rfloor: "⌋",
  left: "",
  right: "",
  sum: "Σ",
};

export interface Part {
  place: "line" | "sub" | "sup";
  text: string | Part[];
}

/** A formula in one line: a fraction as (a) ÷ (b), and what stands lower or higher. */
export function formula(tex: string): Part[] {
  const group = String.raw`\{((?:[^{}]|\{[^{}]*\})*)\}`;
  const fraction = new RegExp(String.raw`\\frac${group}${group}`);
  let text = tex;
  while (fraction.test(text)) text = text.replace(fraction, (_, a, b) => `(${a}) ÷ (${b})`);
  text = text
    .replace(/\\hat ?(\w)/g, "$1\u0302")
    .replace(/\\([a-z]+)/g, (_, name: string) => SYMBOLS[name] ?? name)
    .replaceAll("-", "−");
  return raised(text);
}

function raised(text: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(/([_^])(?:\{((?:[^{}]|\{[^{}]*\})*)\}|(\w))/g)) {
    const [whole, sign, many, one] = match;
    if (match.index > end) parts.push({ place: "line", text: text.slice(end, match.index) });
    parts.push({ place: sign === "_" ? "sub" : "sup", text: raised(many ?? one) });
    end = match.index + whole.length;
  }
  if (end < text.length) parts.push({ place: "line", text: text.slice(end) });
  return parts;
}
