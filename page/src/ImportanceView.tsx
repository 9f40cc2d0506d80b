/** Which pixels count: a map over the picture, as strong as one wants it. */

import { useEffect, useMemo, useState } from "preact/hooks";

import { range } from "./arithmetic";
import { ChannelMap } from "./canvas";
import type { Page } from "./contract";
import { percent } from "./words";

interface Props {
  page: Page;
  /** The picture on the left, if it is a stored one as it was. */
  picture: number | null;
  onPicture(index: number): void;
}

export function ImportanceView({ page, picture, onPicture }: Props) {
  const { importance, pictures, classes } = page;
  const [last, setLast] = useState(0); // shown while the picture on the left is another one
  const same = importance.pictures.findIndex((explained) => explained.picture === picture);
  const chosen = same >= 0 ? same : last;
  const [opacity, setOpacity] = useState(60);
  const explained = importance.pictures[chosen];
  const largest = useMemo(() => {
    const [low, high] = range(explained?.map ?? [0]);
    return Math.max(Math.abs(low), Math.abs(high)) || 1;
  }, [explained]);
  useEffect(() => {
    if (same >= 0) setLast(same);
  }, [same]);
  if (!explained) return <p class="waiting">No picture was explained: run explore.py with --explained 4, say.</p>;
  const [height, width] = page.size;
  const [top, left, bottom, right] = explained.section;
  const name = classes[explained.target];
  const choose = (index: number) => {
    setLast(index);
    onPicture(importance.pictures[index].picture);
  };
  return (
    <>
      <p class="lead">
        Hide half of the picture, in many ways, and watch the score of a class rise and fall. Where the map is orange,
        hiding costs: these pixels speak for the class. Dark blue ones speak against it.{" "}
        <a href={page.article.importance}>How it is made</a>
      </p>
      <div class="importance">
        <div class="framed overlay" style={{ aspectRatio: `${width} / ${height}` }}>
          <img class="pixels" src={pictures[explained.picture].png} alt={pictures[explained.picture].name} />
          <div class="veil" style={{ opacity: opacity / 100 }}>
            <ChannelMap
              values={explained.map}
              height={height}
              width={width}
              palette="diverging"
              scale={[-largest, largest]}
              label={`Map of the importance of the pixels for ${name}`}
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
        <div class="words">
          <h2>Why {name}?</h2>
          <p>
            {percent(explained.probability)} as it is; {percent(explained.hiddenProbability)} with the framed square
            hidden.{explained.hiddenProbability > explained.probability && SCORES_FALL}
          </p>
          <label class="grow">
            Map over picture
            <input
              type="range"
              min={0}
              max={100}
              value={opacity}
              onInput={(event) => setOpacity(Number(event.currentTarget.value))}
            />
          </label>
          <h3>How right is the map?</h3>
          <table class="plainly" aria-label="How right the map is">
            <thead>
              <tr>
                <td />
                <th scope="col">this map</th>
                <th scope="col">at random</th>
              </tr>
            </thead>
            <tbody>
              <tr>
                <th scope="row">Deletion (low is good)</th>
                {explained.deletion.map((number) => (
                  <td>{percent(number)}</td>
                ))}
              </tr>
              <tr>
                <th scope="row">Insertion (high is good)</th>
                {explained.insertion.map((number) => (
                  <td>{percent(number)}</td>
                ))}
              </tr>
            </tbody>
          </table>
          <p class="aside">
            Half of all squares of {importance.windows.join(", ")} pixels are hidden at once. Mean probability of the class
            while pixels are hidden, or shown, the most important first.
          </p>
        </div>
      </div>
      <div class="thumbs wide" role="group" aria-label="Explained pictures">
        {importance.pictures.map(({ picture }, index) => (
          <button type="button" aria-pressed={index === chosen} onClick={() => choose(index)} key={index}>
            <img class="pixels" src={pictures[picture].png} alt={pictures[picture].name} />
          </button>
        ))}
      </div>
    </>
  );
}

const SCORES_FALL = " Its score falls, but those of the other classes fall further; the map is of the score.";
