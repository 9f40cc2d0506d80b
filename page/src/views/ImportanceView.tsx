/** Which pixels matter: a heat map over the image, of any opacity. */

import { useEffect, useMemo, useState } from "preact/hooks";

import { percent, times } from "../arithmetic/formatting";
import { range } from "../arithmetic/layers";
import type { Page } from "../contract";
import { ChannelMap } from "./canvas";

interface Props {
  page: Page;
  /** Index of the image on the left, unless it is the reader's own. */
  image: number | null;
  onImage(index: number): void;
}

export function ImportanceView({ page, image, onImage }: Props) {
  const { importance, images, classes } = page;
  const [last, setLast] = useState(0); // shown while the image on the left has no heat map
  const same = importance.images.findIndex((explained) => explained.image === image);
  const chosen = same >= 0 ? same : last;
  const [opacity, setOpacity] = useState(60);
  const explained = importance.images[chosen];
  const largest = useMemo(() => {
    const [low, high] = range(explained?.heatMap ?? [0]);
    return Math.max(Math.abs(low), Math.abs(high)) || 1;
  }, [explained]);
  useEffect(() => {
    if (same >= 0) setLast(same);
  }, [same]);
  if (!explained) return <p class="waiting">No image was explained: run explore.py with --explained 4, for example.</p>;
  const [height, width] = page.size;
  const [top, left, bottom, right] = explained.patch;
  const name = classes[explained.target];
  const choose = (index: number) => {
    setLast(index);
    onImage(importance.images[index].image);
  };
  return (
    <>
      <p class="lead">
        Hide half of the image, in many ways, and watch the score of a class rise and fall. Orange pixels are evidence
        for the class: hiding them lowers the score. Dark blue pixels are evidence against it.{" "}
        <a href={page.article.importance}>How the map is computed</a>
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
            patch hidden.{explained.hiddenProbability > explained.probability && SCORES_FALL}
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
      <div class="thumbs wide" role="group" aria-label="Explained images">
        {importance.images.map(({ image }, index) => (
          <button type="button" aria-pressed={index === chosen} onClick={() => choose(index)} key={index}>
            <img class="pixels" src={images[image].png} alt={images[image].name} />
          </button>
        ))}
      </div>
    </>
  );
}

const SCORES_FALL = " The score falls, but the scores of the other classes fall further. The map shows the score.";
