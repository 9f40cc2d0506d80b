/** The page: the picture and what the network says on one side, the views on the other. */

import type { TargetedKeyboardEvent } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import type { Page } from "./contract";
import { Engine } from "./engine";
import { FiltersView } from "./FiltersView";
import { ImportanceView } from "./ImportanceView";
import { useAnswer } from "./live";
import { NetworkView, type Selection } from "./NetworkView";
import { OutputsView } from "./OutputsView";
import { PictureChoice, PicturePanel } from "./PicturePanel";
import { pixelsOf } from "./pictures";
import { Probabilities } from "./Probabilities";
import { ResultsView } from "./ResultsView";

const VIEWS = ["Network", "Outputs", "Results", "Importance", "Filters"] as const;
type View = (typeof VIEWS)[number];

interface Shown {
  chosen: number | null;
  name: string;
  label: number;
  original: Float32Array;
  kept: Float32Array;
  shown: Float32Array;
}

export function App({ page, weights }: { page: Page; weights: string }) {
  const [engine, setEngine] = useState<Engine | null>(null);
  const [trouble, setTrouble] = useState("");
  const [notice, setNotice] = useState("");
  const [view, setView] = useState<View>("Network");
  const [picture, setPicture] = useState<Shown | null>(null);
  const [selection, setSelection] = useState<Selection | null>(null);
  const [own, setOwn] = useState<Float32Array | null>(null); // probabilities of a picture that Keras has not seen

  const newest = useRef(0); // of the pictures that were chosen: an earlier one may take longer to decode

  const choose = async (source: string | Blob, chosen: number | null, name: string, label: number) => {
    const number = ++newest.current;
    try {
      const original = await pixelsOf(source, page.size);
      if (number !== newest.current) return;
      setNotice("");
      setOwn(null);
      setPicture({ chosen, name, label, original, kept: original, shown: original });
    } catch {
      setNotice(`${name} can't be read as a picture.`);
    }
  };
  const chooseStored = (index: number) =>
    choose(page.pictures[index].png, index, page.pictures[index].name, page.pictures[index].label);

  useEffect(() => {
    const start = async () => {
      await chooseStored(0);
      await new Promise(requestAnimationFrame); // the picture is seen before the weights are unpacked
      await Engine.start(page, weights).then(setEngine, (error: Error) => setTrouble(error.message));
    };
    void start();
  }, []);

  const deep = view === "Network" || view === "Outputs";
  const answer = useAnswer(engine, picture?.shown ?? null, deep, (error) => setTrouble(error.message));
  useEffect(() => {
    if (picture && picture.chosen === null && answer?.pixels === picture.original) setOwn(answer.probabilities);
  }, [answer, picture]);

  const stored = picture?.chosen != null ? page.pictures[picture.chosen].probabilities : null;
  const before = stored ?? own ?? answer?.probabilities ?? null;
  const now = answer?.probabilities ?? stored;
  const outputs = useMemo(() => answer?.layers ?? null, [answer]);
  const status = useMemo(() => <Status engine={engine} trouble={trouble} />, [engine, trouble]); // a live region
  const open = (layer: number, channel: number) => {
    setSelection({ layer, channel, cell: null });
    setView("Network");
  };

  return (
    <>
      <header class="top">
        <div>
          <h1>Inside {page.title}</h1>
          <p class="sub">
            {page.network.layers.length > 1 && `${page.network.layers.length - 1} layers, `}
            {page.parameters.toLocaleString("en")} weights,{" "}
            {page.classes.length} classes
          </p>
        </div>
        {status}
      </header>
      <main class="layout">
        <aside class="side">
          {picture && (
            <PicturePanel
              page={page}
              kept={picture.kept}
              shown={picture.shown}
              onFile={(file, name) => void choose(file, null, name, -1)}
              onChange={(kept, shown) => setPicture({ ...picture, kept, shown })}
              onReset={() => setPicture({ ...picture, kept: picture.original, shown: picture.original })}
            />
          )}
          {notice && (
            <p class="notice" role="alert">
              {notice}
            </p>
          )}
          {now && before && picture && (
            <Probabilities
              classes={page.classes}
              now={now}
              before={before}
              label={picture.label}
              live={answer?.pixels === picture.shown}
            />
          )}
          <PictureChoice
            page={page}
            chosen={picture?.chosen ?? null}
            onChoose={(index) => void chooseStored(index)}
            onFile={(file, name) => void choose(file, null, name, -1)}
          />
        </aside>
        <div class="main">
          <Tabs view={view} onView={setView} />
          <div class="view" role="tabpanel" id="view" aria-labelledby={`tab-${view}`}>
            {deep && !outputs && <p class="waiting">{trouble ? LIVE_ONLY : "The network is being unpacked …"}</p>}
            {view === "Network" && outputs && picture && (
              <NetworkView
                page={page}
                engine={engine!}
                outputs={outputs}
                picture={picture.original}
                selection={selection}
                onSelect={setSelection}
              />
            )}
            {view === "Outputs" && outputs && <OutputsView page={page} outputs={outputs} onOpen={open} />}
            {view === "Results" && (
              <ResultsView page={page} onPicture={(blob, name, label) => void choose(blob, null, name, label)} />
            )}
            {view === "Importance" && <ImportanceView page={page} picture={picture?.chosen ?? null} onPicture={(index) => void chooseStored(index)} />}
            {view === "Filters" && <FiltersView page={page} />}
          </div>
        </div>
      </main>
      <footer class="foot">
        Made by explore.py from {page.file}. Everything is in this file; nothing leaves your computer.{" "}
        <a href={page.article.own}>How to look into a network of your own</a>
      </footer>
    </>
  );
}

const LIVE_ONLY = "What the layers pass on needs the network, which can't run in this browser.";

function Status({ engine, trouble }: { engine: Engine | null; trouble: string }) {
  const [speed, setSpeed] = useState<string>("");
  if (trouble)
    return (
      <p class="status bad" role="status">
        The network can't run here: {trouble}. Stored results are shown.
      </p>
    );
  if (!engine)
    return (
      <p class="status" role="status">
        Starting …
      </p>
    );
  return (
    <p class="status" role="status">
      Runs live in your browser{engine.backend === "cpu" ? ", slowly: its fast way is not right here" : ""}.{" "}
      <button
        type="button"
        class="link"
        onClick={async () => {
          setSpeed("Measuring …");
          setSpeed(`${(await engine.speed()).toFixed(0)} predictions a second`);
        }}
      >
        How fast?
      </button>{" "}
      <span id="speed">{speed}</span>
    </p>
  );
}

function Tabs({ view, onView }: { view: View; onView(view: View): void }) {
  const keys = (event: TargetedKeyboardEvent<HTMLElement>) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!step) return;
    const next = VIEWS[(VIEWS.indexOf(view) + step + VIEWS.length) % VIEWS.length];
    onView(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label="Views" onKeyDown={keys}>
      {VIEWS.map((name) => (
        <button
          type="button"
          role="tab"
          id={`tab-${name}`}
          aria-selected={name === view}
          aria-controls="view"
          tabIndex={name === view ? 0 : -1}
          onClick={() => onView(name)}
        >
          {name}
        </button>
      ))}
    </div>
  );
}
