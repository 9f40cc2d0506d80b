/**
 * TensorFlow.js with nothing but what training needs, 92 KB. It runs on the processor's backend, since the
 * one in WebAssembly has no gradient of a convolution's filters.
 */

import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu/dist/backend_cpu";
import { addConfig } from "@tensorflow/tfjs-backend-cpu/dist/kernels/Add";
import { batchMatMulConfig } from "@tensorflow/tfjs-backend-cpu/dist/kernels/BatchMatMul";
import { castConfig } from "@tensorflow/tfjs-backend-cpu/dist/kernels/Cast";
import { conv2DConfig } from "@tensorflow/tfjs-backend-cpu/dist/kernels/Conv2D";
import { conv2DBackpropInputConfig } from "@tensorflow/tfjs-backend-cpu/dist/kernels/Conv2DBackpropInput";
import { expConfig } from "@tensorflow/tfjs-backend-cpu/dist/kernels/Exp";
import { identityConfig } from "@tensorflow/tfjs-backend-cpu/dist/kernels/Identity";
import { logConfig } from "@tensorflow/tfjs-backend-cpu/dist/kernels/Log";
import { maxConfig } from "@tensorflow/tfjs-backend-cpu/dist/kernels/Max";
import { maxPoolConfig } from "@tensorflow/tfjs-backend-cpu/dist/kernels/MaxPool";
import { maxPoolGradConfig as maxPoolGradKernel } from "@tensorflow/tfjs-backend-cpu/dist/kernels/MaxPoolGrad";
import { multiplyConfig } from "@tensorflow/tfjs-backend-cpu/dist/kernels/Multiply";
import { negConfig } from "@tensorflow/tfjs-backend-cpu/dist/kernels/Neg";
import { realDivConfig } from "@tensorflow/tfjs-backend-cpu/dist/kernels/RealDiv";
import { reluConfig } from "@tensorflow/tfjs-backend-cpu/dist/kernels/Relu";
import { reshapeConfig } from "@tensorflow/tfjs-backend-cpu/dist/kernels/Reshape";
import { stepConfig } from "@tensorflow/tfjs-backend-cpu/dist/kernels/Step";
import { subConfig } from "@tensorflow/tfjs-backend-cpu/dist/kernels/Sub";
import { sumConfig } from "@tensorflow/tfjs-backend-cpu/dist/kernels/Sum";
import { transposeConfig } from "@tensorflow/tfjs-backend-cpu/dist/kernels/Transpose";
import { zerosLikeConfig } from "@tensorflow/tfjs-backend-cpu/dist/kernels/ZerosLike";
import { env, registerBackend, registerGradient, registerKernel } from "@tensorflow/tfjs-core/dist/base";
import "@tensorflow/tfjs-core/dist/flags";
import { batchMatMulGradConfig } from "@tensorflow/tfjs-core/dist/gradients/BatchMatMul_grad";
import { castGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Cast_grad";
import { conv2DGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Conv2D_grad";
import { maxPoolGradConfig } from "@tensorflow/tfjs-core/dist/gradients/MaxPool_grad";
import { reluGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Relu_grad";
import { reshapeGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Reshape_grad";
import { logSoftmaxGradConfig } from "@tensorflow/tfjs-core/dist/gradients/LogSoftmax_grad";
import { multiplyGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Multiply_grad";
import { sumGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Sum_grad";
import { addGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Add_grad";
import { negGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Neg_grad";
import { subGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Sub_grad";
import { identityGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Identity_grad";
import { PlatformBrowser } from "@tensorflow/tfjs-core/dist/platforms/platform_browser";

import { filterGradientConfig } from "./filterGradient";

for (const kernel of [
  addConfig,
  batchMatMulConfig,
  castConfig,
  conv2DConfig,
  filterGradientConfig,
  conv2DBackpropInputConfig,
  expConfig,
  identityConfig,
  logConfig,
  maxConfig,
  maxPoolConfig,
  maxPoolGradKernel,
  multiplyConfig,
  negConfig,
  realDivConfig,
  reluConfig,
  reshapeConfig,
  stepConfig,
  subConfig,
  sumConfig,
  transposeConfig,
  zerosLikeConfig,
])
  registerKernel(kernel);
for (const gradient of [
  batchMatMulGradConfig,
  castGradConfig,
  conv2DGradConfig,
  maxPoolGradConfig,
  reluGradConfig,
  reshapeGradConfig,
  logSoftmaxGradConfig,
  multiplyGradConfig,
  sumGradConfig,
  addGradConfig,
  negGradConfig,
  subGradConfig,
  identityGradConfig,
])
  registerGradient(gradient);
env().setPlatform("browser", new PlatformBrowser());
registerBackend("cpu", () => new MathBackendCPU());
