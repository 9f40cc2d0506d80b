/** The page: the image and its prediction on one side, the views on the other. */

import type { TargetedKeyboardEvent } from "preact";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";

import { formatAddress, parseAddress } from "../arithmetic/address";
import { indexOfMax } from "../arithmetic/layers";
import type { Field } from "../arithmetic/receptiveField";
import type { Page } from "../contract";
import { Engine, TOLERANCE } from "../network/engine";
import { useAddress } from "../state/address";
import { Trainer } from "../network/trainer";
import { useImage } from "../state/image";
import { usePrediction } from "../state/prediction";
import type { Selection } from "../state/selection";
import { ArticleLink, ChapterPanel, Reading, useChapter, useMedia } from "./Article";
import { useTour } from "../state/tour";
import { useDrop } from "./drop";
import { FiltersView } from "./FiltersView";
import { ImageChoice } from "./ImageChoice";
import { ImagePanel } from "./ImagePanel";
import { ImportanceView } from "./ImportanceView";
import { NetworkView } from "./NetworkView";
import { OutputsView } from "./OutputsView";
import { Sliding } from "./Player";
import { Playground } from "./Playground";
import { Probabilities } from "./Probabilities";
import { ResultsView } from "./ResultsView";
import { Tour, TourButton } from "./Tour";
import { TrainingView } from "./TrainingView";
import { savePng } from "./snapshot";

const VIEWS = ["Network", "Outputs", "Results", "Importance", "Filters", "Playground", "Training"] as const;
type View = (typeof VIEWS)[number];

export function App({ page, weights }: { page: Page; weights: string }) {
  const [engine, setEngine] = useState<Engine | null>(null);
  const [problem, setProblem] = useState("");
  const [trainer] = useState(() => new Trainer(page.digits));
  const known = { views: VIEWS, images: page.images.length, layers: page.network.layers };
  const [first] = useState(() => parseAddress(location.hash, known));
  const [ignored, setIgnored] = useState(first.ignored);
  const [view, setView] = useState<View>(first.place.view ?? "Network");
  const { chapter, own: explained, wide, read, close } = useChapter(page.article, view.toLowerCase());
  const state = useImage(page);
  const { image, notice, choose, open } = state;
  const { upTo } = page.network; // then only the stored probabilities are known, of images that are as they were
  const label = image && !image.drawn ? image.label : -1; // nobody knows what a drawing shows
  const [field, setField] = useState<Field | null>(null);
  const [selection, setSelection] = useState<Selection | null>(first.place.selection);
  const [layer, setLayer] = useState(first.place.layer); // of the outputs that are shown, unless a channel is chosen
  const [own, setOwn] = useState<Float32Array | null>(null); // probabilities of the reader's own image, unchanged

  useEffect(() => {
    const start = async () => {
      await choose(first.place.image ?? 0);
      if (first.place.changed) state.notify(NOT_KEPT);
      await new Promise(requestAnimationFrame); // show the image before unpacking the weights
      await Engine.start(page, weights).then(setEngine, (error: Error) => setProblem(error.message));
    };
    void start();
  }, []);

  const isPhone = useMedia("(max-width: 599px)");
  const [tools, setTools] = useState(false); // on a small screen, where they are folded
  const deep = view === "Network" || view === "Outputs";
  const [failure, setFailure] = useState<Error | null>(null); // of the last request
  const prediction = usePrediction(engine, image?.shown ?? null, deep, setFailure);
  const computed = upTo ? null : (prediction?.probabilities ?? null);
  useEffect(() => setOwn(null), [image?.original]);
  useEffect(() => {
    if (image && image.chosen === null && prediction?.pixels === image.original) setOwn(computed);
  }, [prediction, image]);

  const tour = useTour<View>({ page, engine, prediction, state, selection, onSelect: setSelection, view, onView: setView, home: "Network" });
  const shown = { view, image: image?.chosen ?? null, layer, selection, changed: state.changed };
  useAddress(image ? formatAddress(shown, page.network.layers) : "", async (hash) => {
    const { place, ignored } = parseAddress(hash, known);
    setIgnored(ignored);
    setView(place.view ?? "Network");
    setLayer(place.layer);
    setSelection(place.selection);
    const another = place.image !== null && place.image !== image?.chosen;
    if (another) await choose(place.image!);
    if (place.changed && (another || !state.changed)) state.notify(NOT_KEPT);
  });

  const stored = image?.chosen != null ? page.images[image.chosen].probabilities : null;
  const before = stored ?? own ?? computed;
  const now = computed ?? (upTo && image?.shown !== image?.original ? null : stored);
  const outputs = prediction?.layers ?? null;
  const status = useMemo(() => <Status engine={engine} problem={problem} />, [engine, problem]); // a live region
  const newest = useRef(open);
  newest.current = open;
  const over = useDrop(useCallback((file: File, name: string) => void newest.current(file, name), []));
  const showInNetwork = (file: Blob, name: string, label: number) => {
    void open(file, name, label);
    setView("Network");
    document.getElementById("tab-Network")?.focus(); // the button that was pressed goes with its view
  };
  const openChannel = (layer: number, channel: number) => {
    setSelection({ layer, channel, position: null });
    setView("Network");
  };

  const bar = (
    <div class={chapter && chapter === explained && wide ? "tabs-and-article shown" : "tabs-and-article"}>
      <Tabs view={view} onView={setView} />
      {explained && <ArticleLink chapter={explained}>Read about this view</ArticleLink>}
    </div>
  );

  return (
    <Reading.Provider value={read}>
      <header class="top">
        <div>
          <h1>Inside {page.title}</h1>
          <p class="sub">
            {page.network.layers.length > 1 && `${upTo ? "its first " : ""}${page.network.layers.length - 1} layers, `}
            {page.parameters.toLocaleString("en")} weights,{" "}
            {page.classes.length} classes
          </p>
          {page.article.site && <a href={`${page.article.site}index.html`}>The article</a>}
        </div>
        {engine && !upTo && <TourButton tour={tour} />}
        {status}
      </header>
      <main class={view === "Training" ? "layout alone" : chapter && wide ? "layout reading" : "layout"}>
        {isPhone && bar}
        <ImageChoice
          page={page}
          chosen={image?.chosen ?? null}
          onChoose={(index) => void choose(index)}
          onFile={(file, name) => void open(file, name)}
        />
        <aside class={tools ? "side unfolded" : "side"}>
          {image && (
            <ImagePanel {...{ page, image, state, over, field, tools }} onTools={() => setTools(!tools)} />
          )}
          {ignored.length > 0 && (
            <p class="notice" role="alert">
              In the address of this page, {ignored.join(" ")}
            </p>
          )}
          {notice && (
            <p class="notice" role="alert">
              {notice}
            </p>
          )}
          {failure && (
            <p class="notice" role="alert">
              This image could not be computed ({failure.message}). Change it, or choose another.
            </p>
          )}
          {upTo && (
            <p class="hint">
              This page runs the layers up to {upTo}; of the rest it knows the verdict for the images above, unchanged.
            </p>
          )}
          {now && before && image && (
            <Probabilities
              classes={page.classes}
              now={now}
              before={before}
              label={label}
              live={Boolean(upTo) || prediction?.pixels === image.shown}
            />
          )}
        </aside>
        <div class="main">
          {!isPhone && bar}
          <div class="view" role="tabpanel" id="view" aria-labelledby={`tab-${view}`}>
            {deep && !outputs && <p class="waiting">{problem ? LIVE_ONLY : "Unpacking the network …"}</p>}
            {view === "Network" && outputs && image && (
              <Sliding.Provider value={tour.slide}>
                <NetworkView
                  page={page}
                  engine={engine!}
                  outputs={outputs}
                  image={image.original}
                  live={prediction!.layersOf === image.shown}
                  selection={selection}
                  onSelect={setSelection}
                  onField={setField}
                />
              </Sliding.Provider>
            )}
            {view === "Outputs" && outputs && (
              <OutputsView
                page={page}
                outputs={outputs}
                place={selection?.layer ?? layer}
                onPlace={(place) => (setLayer(place), setSelection(null))}
                onOpen={openChannel}
              />
            )}
            {view === "Results" && (
              <ResultsView page={page} onImage={showInNetwork} />
            )}
            {view === "Importance" && image && (
              <ImportanceView
                page={page}
                engine={upTo ? null : engine}
                image={image}
                predicted={now ? indexOfMax(now) : 0}
                onImage={(index) => void choose(index)}
              />
            )}
            {view === "Filters" && <FiltersView page={page} />}
            {view === "Playground" && <Playground page={page} />}
            {view === "Training" && <TrainingView trainer={trainer} />}
          </div>
        </div>
        {chapter && <ChapterPanel chapter={chapter} site={page.article.site} wide={wide} onClose={close} />}
      </main>
      <Tour tour={tour} />
      <footer class="foot">
        Made by explore.py from {page.file}. Everything is in this file; nothing leaves your computer.{" "}
        <button
          type="button"
          class="link"
          onClick={() => void savePng(document.getElementById("view")!, `${page.title} ${view.toLowerCase()}`)}
        >
          Save this view as PNG
        </button>{" "}
        <ArticleLink chapter={page.article.own}>How to explore your own network</ArticleLink>
      </footer>
    </Reading.Provider>
  );
}

const NOT_KEPT = "Drawings, hidden patches and images from elsewhere are not kept in the address of this page: this image is unchanged.";
const LIVE_ONLY = "Layer outputs need the network, which can't run in this browser.";

function Status({ engine, problem }: { engine: Engine | null; problem: string }) {
  const [speed, setSpeed] = useState<string>("");
  if (problem)
    return (
      <p class="status bad" role="status">
        The network can't run here: {problem}. Stored results are shown.
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
      Runs live in your browser{engine.backend === "cpu" ? ", slowly: WebAssembly doesn't work here" : ""}.{" "}
      {engine.difference > TOLERANCE && `Its probabilities differ from Keras's by up to ${engine.difference.toPrecision(1)}. `}
      {engine.predicts && (
        <button
          type="button"
          class="link"
          onClick={async () => {
            setSpeed("Measuring …");
            setSpeed(`${(await engine.speed()).toFixed(0)} predictions per second`);
          }}
        >
          How fast?
        </button>
      )}{" "}
      <span id="speed">{speed}</span>
    </p>
  );
}

function Tabs({ view, onView }: { view: View; onView(view: View): void }) {
  const keys = (event: TargetedKeyboardEvent<HTMLElement>) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const end = event.key === "Home" ? 0 : event.key === "End" ? VIEWS.length - 1 : null;
    if (!step && end === null) return;
    event.preventDefault();
    const next = VIEWS[end ?? (VIEWS.indexOf(view) + step + VIEWS.length) % VIEWS.length];
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
