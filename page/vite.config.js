import { createHash } from "node:crypto";
import { viteSingleFile } from "vite-plugin-singlefile";

// What the page may do: run this one script and its workers, and nothing over the network. A worker made from a Blob
// reads the WebAssembly from a data: URL.
function contentSecurityPolicy() {
  return {
    name: "content-security-policy",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const page = bundle["index.html"];
        const script = /<script type="module"[^>]*>([\s\S]*?)<\/script>/.exec(page.source)[1];
        const hash = createHash("sha256").update(script).digest("base64");
        const policy = [
          "default-src 'none'",
          `script-src 'sha256-${hash}' 'wasm-unsafe-eval'`,
          "worker-src blob:",
          "connect-src data:",
          "img-src data: blob:",
          "style-src 'unsafe-inline'",
          "base-uri 'none'",
          "form-action 'none'",
        ].join("; ");
        page.source = page.source.replace("POLICY", () => policy);
      },
    },
  };
}

// The processor's kernels import all of TensorFlow.js, with every gradient and chained operation; they need its base.
function baseOfTensorFlow() {
  return {
    name: "base-of-tensorflow",
    enforce: "pre",
    resolveId(source, importer) {
      if (source === "@tensorflow/tfjs-core" && importer?.includes("tfjs-backend-cpu"))
        return this.resolve("@tensorflow/tfjs-core/dist/base", importer);
    },
  };
}

export default {
  base: "./",
  plugins: [baseOfTensorFlow(), viteSingleFile({ removeViteModuleLoader: true }), contentSecurityPolicy()],
  worker: { format: "iife", plugins: () => [baseOfTensorFlow()] },
  test: { server: { deps: { inline: [/@tensorflow/] } } }, // else Node would load a second TensorFlow.js
  build: { assetsInlineLimit: Infinity, target: "es2022", chunkSizeWarningLimit: Infinity, reportCompressedSize: false },
};
