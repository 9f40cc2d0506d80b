/** A heat map of the image as it is now, computed in the browser. */

import { useState } from "preact/hooks";

import { signedScale } from "../arithmetic/attribution";
import { digits, percent, times } from "../arithmetic/formatting";
import type { Page } from "../contract";
import type { Engine } from "../network/engine";
import { useHeatMap, type Method } from "../state/attribution";
import type { Shown } from "../state/image";
import { ArticleLink } from "./Article";
import { PixelCanvas } from "./canvas";
import { Legend } from "./Legend";
import { Opacity, Overlay } from "./Overlay";

interface Props {
  page: Page;
  engine: Engine | null;
  image: Shown;
  /** The class with the highest probability. */
  predicted: number;
}

export function LiveMap({ page, engine, image, predicted }: Props) {
  const { network, classes, importance } = page;
  const [chosen, setChosen] = useState<{ of: Shown["kept"]; target: number } | null>(null);
  const target = chosen?.of === image.kept ? chosen.target : predicted;
  const [opacity, setOpacity] = useState(60);
  const { found, progress, problem, start, stop } = useHeatMap(page, engine, image.kept);
  const name = classes[found?.target ?? target];
  const running = progress !== null;
  const { windows, stride } = importance.occlusion;
  const begin = (method: Method) => (
    <button
      type="button"
      class="plain"
      disabled={!engine || running || (method === "gradcam" && network.gradCam === null)}
      onClick={() => void start(method, target)}
    >
      {method === "occlusion" ? "Occlusion" : "Grad-CAM"}
    </button>
  );
  return (
    <div class="importance">
      {found ? (
        <Overlay
          size={page.size}
          patch={found.patch}
          values={found.map}
          scale={signedScale(found.map)}
          opacity={opacity}
          label={`Heat map for ${name}, computed here`}
        >
          <PixelCanvas pixels={image.kept} size={page.size} label={image.name} />
        </Overlay>
      ) : (
        <PixelCanvas pixels={image.kept} size={page.size} class="unexplained" label={image.name} />
      )}
      <div class="text live">
        <h2>Why {name}?</h2>
        <p>
          <strong>Occlusion</strong> hides one patch after the other in the image's mean colour and asks how much the score
          of the class falls. <strong>Grad-CAM</strong> asks which places of the last CONV layer's feature maps raise it: at
          once, but coarsely. <ArticleLink chapter={page.article.importance}>More in the article</ArticleLink>
        </p>
        <div class="row">
          <label>
            Class{" "}
            <select
              value={target}
              disabled={running}
              onChange={(event) => setChosen({ of: image.kept, target: Number(event.currentTarget.value) })}
            >
              {classes.map((other, k) => (
                <option value={k} key={k}>
                  {other}
                </option>
              ))}
            </select>
          </label>
          {begin("occlusion")} {begin("gradcam")}
          {running && (
            <button type="button" class="plain" onClick={stop}>
              Cancel
            </button>
          )}
        </div>
        {running && <progress value={progress} aria-label="Progress of the heat map" />}
        {network.gradCam === null && <p class="aside">Grad-CAM needs a CONV layer with feature maps; this network has none.</p>}
        {problem && (
          <p class="notice" role="alert">
            {problem}
          </p>
        )}
        {found && (
          <>
            <p role="status">
              {percent(found.probability)} for the whole image; {percent(found.hiddenProbability)} with the framed patch
              hidden.
            </p>
            <Opacity value={opacity} onInput={setOpacity} />
            <Legend palette="diverging" low={`against ${name}, ${digits(signedScale(found.map)[0], 2)}`} high={`${digits(signedScale(found.map)[1], 2)}, for ${name}`} />
            <p class="aside">{found.method === "occlusion" ? aboutOcclusion(windows, stride) : aboutGradCam(page)}</p>
          </>
        )}
      </div>
    </div>
  );
}

function aboutOcclusion(windows: number[], stride: number): string {
  const sides = windows.map((side) => times([side, side])).join(", ");
  return `Occlusion: patches of ${sides} pixels, ${stride} ${stride === 1 ? "pixel" : "pixels"} apart; the mean of all sizes.`;
}

function aboutGradCam({ network: { layers, gradCam } }: Page): string {
  const { name, shape } = layers[gradCam!];
  return `Grad-CAM: from the ${times(shape.slice(0, 2))} places of ${name}, enlarged.`;
}
