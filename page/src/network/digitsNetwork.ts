/** A small network for digits of 8×8 pixels, and one step of its training. */

import {
  add,
  conv2d,
  dispose,
  enableProdMode,
  logSoftmax,
  exp,
  matMul,
  maxPool,
  mul,
  relu,
  reshape,
  setBackend,
  sum,
  tensor,
  tidy,
  variable,
  variableGrads,
  type Scalar,
  type Tensor2D,
  type Tensor4D,
  type Variable,
} from "@tensorflow/tfjs-core/dist/base";
import { MomentumOptimizer } from "@tensorflow/tfjs-core/dist/optimizers/momentum_optimizer";

import { normals, uniform } from "../arithmetic/random";
import { CLASSES, MOMENTUM, SHAPES, SIDE, UNITS } from "../arithmetic/digitsLayers";
import "./kernels";

const NEARLY_EQUAL = 0.01; // deviation of the last layer's weights: all probabilities start near 10%

enableProdMode();
void setBackend("cpu");

export class DigitsNetwork {
  private weights = {} as Record<keyof typeof SHAPES, Variable>;
  private optimizer: MomentumOptimizer;

  constructor(seed: number, learningRate: number) {
    const next = uniform(seed);
    for (const [name, shape] of Object.entries(SHAPES) as [keyof typeof SHAPES, number[]][]) {
      const inputs = shape.slice(0, -1).reduce((a, b) => a * b, 1);
      const deviation = name === "fc" ? NEARLY_EQUAL : Math.sqrt(2 / inputs); // He et al., 2015
      const values = normals(inputs * shape.at(-1)!, shape.length > 1 ? deviation : 0, next);
      this.weights[name] = tidy(() => variable(tensor(values, shape)));
    }
    this.optimizer = new MomentumOptimizer(learningRate, MOMENTUM);
  }

  /** N images to N×8×8×8, N×4×4×16 and N×10. */
  private layers(pixels: Float32Array) {
    const { conv1, bias1, conv2, bias2, fc, bias } = this.weights;
    const images = tensor(pixels, [pixels.length / SIDE ** 2, SIDE, SIDE, 1]) as Tensor4D;
    const first = relu(add(conv2d(images, conv1 as Tensor4D, 1, "same"), bias1)) as Tensor4D;
    const second = relu(add(conv2d(maxPool(first, 2, 2, "valid"), conv2 as Tensor4D, 1, "same"), bias2)) as Tensor4D;
    const flat = reshape(maxPool(second, 2, 2, "valid"), [-1, UNITS]) as Tensor2D;
    return { first, second, logarithms: logSoftmax(add(matMul(flat, fc as Tensor2D), bias)) };
  }

  /** Mean cross-entropy of the images. */
  private loss(pixels: Float32Array, labels: ArrayLike<number>): Scalar {
    const truth = new Float32Array(labels.length * CLASSES);
    for (let i = 0; i < labels.length; i++) truth[i * CLASSES + labels[i]] = 1;
    const { logarithms } = this.layers(pixels);
    return mul(sum(mul(logarithms, tensor(truth, [labels.length, CLASSES]))), -1 / labels.length) as Scalar;
  }

  /** The loss and its gradients, one array for each array of weights. */
  gradients(pixels: Float32Array, labels: ArrayLike<number>): { loss: number; gradients: Float32Array[] } {
    let gradients: Float32Array[] = [];
    const loss = tidy(() => {
      const { value, grads } = variableGrads(() => this.loss(pixels, labels));
      gradients = Object.values(this.weights).map(({ name }) => new Float32Array(grads[name].dataSync()));
      return value.dataSync()[0];
    });
    return { loss, gradients };
  }

  /** Change the weights once; `decay` times each weight is added to its gradient, biases excepted. Returns the loss. */
  step(pixels: Float32Array, labels: ArrayLike<number>, decay: number): number {
    return tidy(() => {
      const { value, grads } = variableGrads(() => this.loss(pixels, labels));
      for (const weights of [this.weights.conv1, this.weights.conv2, this.weights.fc])
        if (decay) grads[weights.name] = add(grads[weights.name], mul(weights, decay));
      this.optimizer.applyGradients(Object.entries(grads).map(([name, tensor]) => ({ name, tensor })));
      return value.dataSync()[0];
    });
  }

  set learningRate(rate: number) {
    this.optimizer.setLearningRate(rate);
  }

  /** What each layer makes of the images: both layers' feature maps, and the probabilities. */
  outputs(pixels: Float32Array): Record<"first" | "second" | "probabilities", Float32Array> {
    let outputs = {} as ReturnType<DigitsNetwork["outputs"]>;
    tidy(() => {
      const { first, second, logarithms } = this.layers(pixels);
      const [maps1, maps2, probabilities] = [first, second, exp(logarithms)].map((x) => new Float32Array(x.dataSync()));
      outputs = { first: maps1, second: maps2, probabilities };
    });
    return outputs;
  }

  /** All weights, in the order of `SHAPES`. */
  read(): Float32Array[] {
    return Object.values(this.weights).map((weights) => new Float32Array(weights.dataSync()));
  }

  write(values: Float32Array[]): void {
    tidy(() => Object.values(this.weights).forEach((weights, i) => weights.assign(tensor(values[i], weights.shape))));
  }

  dispose(): void {
    dispose(Object.values(this.weights));
    dispose((this.optimizer as unknown as { c: Scalar }).c); // the learning rate, which it forgets
    this.optimizer.dispose();
  }
}
