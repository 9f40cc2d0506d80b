/**
 * The gradient of a convolution's filters, as a kernel of TensorFlow.js.
 *
 * The one that comes with it calls a function for each number that it reads: for 32 digits and both layers it takes 52 ms,
 * this one 4 ms.
 */

import type { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu/dist/backend_cpu";
import {
  backend_util,
  Conv2DBackpropFilter,
  type Conv2DBackpropFilterAttrs,
  type KernelConfig,
  type KernelFunc,
  type TensorInfo,
} from "@tensorflow/tfjs-core/dist/base";

type Shape = [number, number, number, number];

interface Call {
  inputs: { x: TensorInfo; dy: TensorInfo };
  attrs: Conv2DBackpropFilterAttrs;
  backend: MathBackendCPU;
}

function filterGradient({ inputs: { x, dy }, attrs, backend }: Call): TensorInfo {
  const { strides, pad, dimRoundingMode, filterShape } = attrs;
  const of = backend_util.computeConv2DInfo(x.shape as Shape, filterShape, strides, 1, pad, dimRoundingMode);
  const [images, slopes] = [x, dy].map((tensor) => backend.data.get(tensor.dataId).values as Float32Array);
  const gradient = new Float32Array(filterShape.reduce((a, b) => a * b));
  for (let b = 0; b < of.batchSize; b++)
    for (let row = 0; row < of.outHeight; row++)
      for (let r = 0; r < of.filterHeight; r++) {
        const y = row * of.strideHeight + r - of.padInfo.top;
        if (y < 0 || y >= of.inHeight) continue;
        for (let column = 0; column < of.outWidth; column++)
          for (let c = 0; c < of.filterWidth; c++) {
            const x = column * of.strideWidth + c - of.padInfo.left;
            if (x < 0 || x >= of.inWidth) continue;
            const input = ((b * of.inHeight + y) * of.inWidth + x) * of.inChannels;
            const slope = ((b * of.outHeight + row) * of.outWidth + column) * of.outChannels;
            let place = (r * of.filterWidth + c) * of.inChannels * of.outChannels;
            for (let i = 0; i < of.inChannels; i++)
              for (let o = 0; o < of.outChannels; o++) gradient[place++] += images[input + i] * slopes[slope + o];
          }
      }
  return backend.makeTensorInfo(filterShape, "float32", gradient);
}

export const filterGradientConfig: KernelConfig = {
  kernelName: Conv2DBackpropFilter,
  backendName: "cpu",
  kernelFunc: filterGradient as unknown as KernelFunc,
};
