/** The data that explore.py puts into the page: see cnnvis/explore/page_data.py and browser_network.py. */

export type Pair = [number, number];

export interface Window {
  size: Pair;
  strides: Pair;
  dilation: Pair;
  /** Rows above and columns to the left. */
  padding: Pair;
}

/** Of an activation function: negative_slope, max_value, threshold, alpha. */
export type Parameters = Partial<Record<"negative_slope" | "max_value" | "threshold" | "alpha", number>>;

interface Weighted {
  kernel: string;
  bias: number[] | null;
  activation: string;
  parameters: Parameters;
}

export type Conv = { operation: "conv"; depthwise: boolean; groups: number } & Weighted & Window;
export type Pool = { operation: "pool"; pooling: "max" | "mean" } & Window;
export type Fc = { operation: "fc" } & Weighted;
export type Affine = { operation: "affine"; scale: number[]; shift: number[] };
export type Elementwise = { operation: "function"; activation: string; parameters: Parameters };
export type Sum = { operation: "sum" };
export type Arithmetic = Conv | Pool | Fc | Affine | Elementwise | Sum;

export interface Layer {
  name: string;
  kind: "image" | "CONV" | "RELU" | "POOL" | "FC" | "other";
  type: string;
  shape: number[];
  node: string;
  sources: number[];
  arithmetic: Arithmetic | null;
  sizeNote: string;
}

export interface Weight {
  name: string;
  dtype: "float32" | "int32" | "bool";
  shape: number[];
  stored: "float24" | "float32" | "int32" | "bool";
}

export interface Network {
  /** Why browsers can't run it; then the other fields are missing. */
  problem?: string;
  graph: { node: { name: string; op: string; input?: string[] }[] };
  input: string;
  /** The last layer, if the page has not all of them; then it has neither probabilities nor scores. */
  upTo: string;
  probabilities: string;
  /** Logits, or logarithms of probabilities where there are none. */
  scores: string;
  /** Index of the layer whose feature maps Grad-CAM weights: the last CONV layer after its activation. */
  gradCam: number | null;
  layers: Layer[];
  weights: Weight[];
  /** Names of the three channels of the image, as the network takes it. */
  colours: string[];
}

export interface StoredImage {
  name: string;
  label: number;
  png: string;
  probabilities: number[];
}

/** Many small images in one PNG, `columns` in each row, each `width` × `height` pixels. */
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
  calibration: { count: number[]; confidence: (number | null)[]; accuracy: (number | null)[]; sentence: string };
  shown: Mistake[];
  sheet: Sheet;
}

export interface Explained {
  image: number;
  target: number;
  probability: number;
  hiddenProbability: number;
  /** The most important patch: top, left, bottom, right, in pixels. */
  patch: [number, number, number, number];
  heatMap: number[];
  /** Of the map, and of random maps. */
  deletion: Pair;
  insertion: Pair;
}

/** How the page hides patches: their sides and the pixels between them, as visualize_pixel_importance.py does. */
export interface Occlusion {
  windows: number[];
  stride: number;
}

export interface Filter {
  filter: number;
  activation: number;
  datasetMax: number;
  dead: boolean;
  selectivity: number;
  topClass: number;
  patchActivation: number[];
}

export interface FilterLayer {
  name: string;
  filters: Filter[];
  images: Sheet;
  patches: Sheet;
  patchesEach: number;
}

/** A section of the article, and where the site has it. */
export interface Chapter {
  heading: string;
  html: string;
  address: string;
}

/** scikit-learn's digits, the training images first: 8×8 levels from 0 to 16 each, gzipped, in base64; and a letter each. */
export interface StoredDigits {
  pixels: string;
  labels: string;
  training: number;
}

export interface Page {
  title: string;
  file: string;
  parameters: number;
  size: Pair;
  classes: string[];
  images: StoredImage[];
  network: Network;
  results: Results | null;
  importance: { patchSizes: number[]; images: Explained[]; occlusion: Occlusion };
  filters: { data: string; layers: FilterLayer[] };
  digits: StoredDigits;
  /** With the address of the folder of the site, or "" if there is none. */
  article: { site: string } & Record<"outputs" | "results" | "importance" | "filters" | "network" | "own", Chapter>;
}
