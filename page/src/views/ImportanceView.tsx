/** Which pixels matter: a heat map over the image, of any opacity. */

import { useMemo, useState } from "preact/hooks";

import { percent, times } from "../arithmetic/formatting";
import { range } from "../arithmetic/layers";
import type { Page } from "../contract";
import type { Shown } from "../state/image";
import { ArticleLink } from "./Article";
import { ChannelMap, PixelCanvas } from "./canvas";
import { Legend } from "./Legend";

interface Props {
  page: Page;
  image: Shown;
  onImage(index: number): void;
}

export function ImportanceView({ page, image, onImage }: Props) {
  const { importance, images, classes } = page;
  const chosen = importance.images.findIndex((explained) => explained.image === image.chosen);
  const explained = importance.images[chosen];
  const [opacity, setOpacity] = useState(60);
  const largest = useMemo(() => {
    const [low, high] = range(explained?.heatMap ?? [0]);
    return Math.max(Math.abs(low), Math.abs(high)) || 1;
  }, [explained]);
  if (!importance.images.length)
    return <p class="waiting">No image was explained: run explore.py with --explained 4, for example.</p>;
  const thumbs = <Thumbs page={page} chosen={chosen} onImage={onImage} />;
  if (!explained)
    return (
      <>
        <h2>No heat map of {image.name}</h2>
        <p class="lead">
          Heat maps take minutes: explore.py computed those of the images below, and you may choose one. Of any image the
          tool Hide shows at once what happens without a patch.
        </p>
        <PixelCanvas pixels={image.original} size={page.size} class="unexplained" label={image.name} />
        {thumbs}
      </>
    );
  const [height, width] = page.size;
  const [top, left, bottom, right] = explained.patch;
  const name = classes[explained.target];
  return (
    <>
      <p class="lead">
        Hide half of the image, in many ways, and watch the score of a class rise and fall. Orange pixels are evidence
        for the class: hiding them lowers the score. Dark blue pixels are evidence against it.{" "}
        <ArticleLink chapter={page.article.importance}>How the map is computed</ArticleLink>
      </p>
      <div class="importance">
        <div class="framed overlay" style={{ aspectRatio: `${width} / ${height}` }}>
          <img class="pixels" src={images[explained.image].png} alt={images[explained.image].name} />
          <div class="veil" style={{ opacity: opacity / 100 }}>
            <ChannelMap
              values={explained.heatMap}
              height={height}
              width={width}
              palette="diverging"
              scale={[-largest, largest]}
              label={`Heat map for ${name}`}
            />
          </div>
          <span
            class="frame"
            style={{
              top: `${(100 * top) / height}%`,
              left: `${(100 * left) / width}%`,
              height: `${(100 * (bottom - top)) / height}%`,
              width: `${(100 * (right - left)) / width}%`,
            }}
          />
        </div>
        <div class="text">
          <h2>Why {name}?</h2>
          <p>
            {percent(explained.probability)} for the whole image; {percent(explained.hiddenProbability)} with the framed
            patch hidden.{image.kept !== image.original && " Both are of the unchanged image."}
            {explained.hiddenProbability > explained.probability && SCORES_FALL}
          </p>
          <label class="grow">
            Heat map opacity
            <input
              type="range"
              min={0}
              max={100}
              value={opacity}
              onInput={(event) => setOpacity(Number(event.currentTarget.value))}
            />
          </label>
          <Legend palette="diverging" low={`against ${name}`} high={`for ${name}`} />
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
      {thumbs}
    </>
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
