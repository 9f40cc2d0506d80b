/** Which pixels matter: a heat map over the image, of any opacity. */

import { useMemo, useState } from "preact/hooks";

import { signedScale } from "../arithmetic/attribution";
import { digits, percent, times } from "../arithmetic/formatting";
import type { Page } from "../contract";
import type { Engine } from "../network/engine";
import type { Shown } from "../state/image";
import { ArticleLink } from "./Article";
import { Legend } from "./Legend";
import { LiveMap } from "./LiveMap";
import { Opacity, Overlay } from "./Overlay";

interface Props {
  page: Page;
  engine: Engine | null;
  image: Shown;
  /** The class with the highest probability. */
  predicted: number;
  onImage(index: number): void;
}

export function ImportanceView({ page, engine, image, predicted, onImage }: Props) {
  const { importance, images, classes } = page;
  const chosen = importance.images.findIndex((explained) => explained.image === image.chosen);
  const explained = importance.images[chosen];
  const [opacity, setOpacity] = useState(60);
  const [live, setLive] = useState(false);
  const scale = useMemo(() => signedScale(explained?.heatMap ?? [0]), [explained]);
  const thumbs = importance.images.length > 0 && <Thumbs page={page} chosen={chosen} onImage={onImage} />;
  const stored = explained && !live;
  const choice = explained && (
    <div class="choice" role="group" aria-label="Heat map">
      <button type="button" aria-pressed={stored} onClick={() => setLive(false)}>
        Stored: Banzhaf values
      </button>
      <button type="button" aria-pressed={live} onClick={() => setLive(true)}>
        Computed here
      </button>
    </div>
  );
  if (!stored)
    return (
      <>
        {choice}
        {!explained && <h2>No heat map of {image.name} is stored</h2>}
        {!explained && <p class="lead">Compute one here, of this image as it is now, with what you hid or drew.</p>}
        <LiveMap page={page} engine={engine} image={image} predicted={predicted} />
        <Scripts file={page.file} />
        {thumbs}
      </>
    );
  const name = classes[explained.target];
  return (
    <>
      {choice}
      <p class="lead">
        Hide half of the image, in many ways, and watch the score of a class rise and fall. Orange pixels are evidence
        for the class: hiding them lowers the score. Dark blue pixels are evidence against it.{" "}
        <ArticleLink chapter={page.article.importance}>How the map is computed</ArticleLink>
      </p>
      <div class="importance">
        <Overlay
          size={page.size}
          patch={explained.patch}
          values={explained.heatMap}
          scale={scale}
          opacity={opacity}
          label={`Heat map for ${name}`}
        >
          <img class="pixels" src={images[explained.image].png} alt={images[explained.image].name} />
        </Overlay>
        <div class="text">
          <h2>Why {name}?</h2>
          <p>
            {percent(explained.probability)} for the whole image; {percent(explained.hiddenProbability)} with the framed
            patch hidden.{image.kept !== image.original && " Both are of the unchanged image."}
            {explained.hiddenProbability > explained.probability && SCORES_FALL}
          </p>
          <Opacity value={opacity} onInput={setOpacity} />
          <Legend palette="diverging" low={`against ${name}, ${digits(scale[0], 2)}`} high={`${digits(scale[1], 2)}, for ${name}`} />
          <h3>How faithful is the map?</h3>
          <table class="plain-table" aria-label="Faithfulness of the map">
            <thead>
              <tr>
                <td />
                <th scope="col">this map</th>
                <th scope="col">random map</th>
              </tr>
            </thead>
            <tbody>
              <tr>
                <th scope="row">Deletion (lower is better)</th>
                {explained.deletion.map((number) => (
                  <td>{percent(number)}</td>
                ))}
              </tr>
              <tr>
                <th scope="row">Insertion (higher is better)</th>
                {explained.insertion.map((number) => (
                  <td>{percent(number)}</td>
                ))}
              </tr>
            </tbody>
          </table>
          <p class="aside">
            Banzhaf values: half of all patches of {importance.patchSizes.map((side) => times([side, side])).join(", ")}{" "}
            pixels are hidden at once. Deletion and insertion: the mean probability of the class while pixels are hidden, or
            shown, the most important first.
          </p>
        </div>
      </div>
      <Scripts file={page.file} />
      {thumbs}
    </>
  );
}

/** What the page can't compute. */
function Scripts({ file }: { file: string }) {
  return (
    <p class="aside scripts">
      More answers: <code>python visualize_pixel_importance.py --model {file} --method all</code> compares five heat maps
      and says which to believe; <code>python visualize_results.py --model {file}</code> shows the training images that
      are nearest to its worst mistakes.
    </p>
  );
}

interface ThumbsProps {
  page: Page;
  chosen: number;
  onImage(index: number): void;
}

function Thumbs({ page: { importance, images }, chosen, onImage }: ThumbsProps) {
  return (
    <div class="thumbs wide" role="group" aria-label="Explained images">
      {importance.images.map(({ image }, index) => (
        <button type="button" aria-pressed={index === chosen} onClick={() => onImage(image)} key={index}>
          <img class="pixels" src={images[image].png} alt={images[image].name} />
        </button>
      ))}
    </div>
  );
}

const SCORES_FALL = " The score falls, but the scores of the other classes fall further. The map shows the score.";
