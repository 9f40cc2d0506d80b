/** What explore.py puts into the page: see cnnvis/exploration.py and cnnvis/browser_network.py. */

export type Pair = [number, number];

export interface Window {
  size: Pair;
  strides: Pair;
  dilation: Pair;
  before: Pair;
}

interface Weighted {
  kernel: string;
  bias: number[] | null;
  activation: string;
}

export type Conv = { how: "conv"; depthwise: boolean; groups: number } & Weighted & Window;
export type Pool = { how: "pool"; takes: "max" | "mean" } & Window;
export type Fc = { how: "fc" } & Weighted;
export type Affine = { how: "affine"; scale: number[]; shift: number[] };
export type Elementwise = { how: "function"; activation: string };
export type Sum = { how: "sum" };
export type Arithmetic = Conv | Pool | Fc | Affine | Elementwise | Sum;

export interface Layer {
  name: string;
  kind: "picture" | "CONV" | "RELU" | "POOL" | "FC" | "other";
  type: string;
  shape: number[];
  node: string;
  sources: number[];
  arithmetic: Arithmetic | null;
  words: string;
}

export interface Weight {
  name: string;
  dtype: "float32" | "int32" | "bool";
  shape: number[];
  stored: "float16" | "float32" | "int32" | "bool";
  scale: number;
}

export interface Network {
  /** Why it can't run in browsers; then the rest is missing. */
  trouble?: string;
  graph: object;
  input: string;
  probabilities: string;
  layers: Layer[];
  weights: Weight[];
}

export interface Picture {
  name: string;
  label: number;
  png: string;
  probabilities: number[];
}

/** Many small pictures in one PNG: `columns` a row, each `width` x `height`. */
export interface Sheet {
  png: string;
  columns: number;
  width: number;
  height: number;
}

export interface Mistake {
  index: number;
  name: string;
  label: number;
  predicted: number;
  probability: number;
}

export interface Results {
  data: string;
  headline: string;
  confusion: number[][];
  byClass: number[][];
  calibration: { count: number[]; confidence: (number | null)[]; accuracy: (number | null)[]; words: string };
  shown: Mistake[];
  sheet: Sheet;
}

export interface Explained {
  picture: number;
  target: number;
  probability: number;
  hiddenProbability: number;
  section: [number, number, number, number];
  map: number[];
  deletion: Pair;
  insertion: Pair;
}

export interface Filter {
  filter: number;
  activation: number;
  datasetMax: number;
  dead: boolean;
  selectivity: number;
  favourite: number;
  patchActivation: number[];
}

export interface FilterLayer {
  name: string;
  filters: Filter[];
  images: Sheet;
  patches: Sheet;
  patchesEach: number;
}

export interface Page {
  title: string;
  file: string;
  parameters: number;
  size: Pair;
  classes: string[];
  pictures: Picture[];
  network: Network;
  results: Results | null;
  importance: { windows: number[]; pictures: Explained[] };
  filters: { data: string; layers: FilterLayer[] };
  article: Record<string, string>;
}
