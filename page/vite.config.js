import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { viteSingleFile } from "vite-plugin-singlefile";

// `import text from "./file?gzip"`: the file, gzipped, in base64.
function gzipped() {
  return {
    name: "gzipped",
    enforce: "pre",
    async resolveId(source, importer) {
      if (!source.endsWith("?gzip")) return null;
      const file = await this.resolve(source.replace(/\?gzip$/, "?url"), importer, { skipSelf: true });
      return file.id.replace(/\?url$/, "?gzip");
    },
    load(id) {
      if (!id.endsWith("?gzip")) return null;
      const content = gzipSync(readFileSync(id.replace(/\?gzip$/, "")), { level: 9 });
      return `export default "${content.toString("base64")}"`;
    },
  };
}

// The licences of all modules, once each instead of once a module, in a comment at the end of the page.
const licences = new Set([readFileSync(new URL("node_modules/preact/LICENSE", import.meta.url), "utf8").trim()]);

function collectLicences() {
  return {
    name: "collect-licences",
    enforce: "pre",
    transform(code, id) {
      if (!id.includes("node_modules")) return;
      for (const [comment] of code.matchAll(/\/\*(?:(?!\*\/)[\s\S])*?@(?:license|preserve)[\s\S]*?\*\//g))
        licences.add(comment.replace(/^[/ *=]+|[/ *=]+$/gm, "").replaceAll("--", "- -").trim());
    },
  };
}

function writeLicences() {
  return {
    name: "write-licences",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const page = bundle["index.html"];
        const text = [...licences].sort().join("\n\n");
        page.source = page.source.replace("</body>", () => `<!--\nThis page contains\n\n${text}\n-->\n  </body>`);
      },
    },
  };
}

// What the page may do: run this one script and its workers, and nothing over the network. A worker reads the
// WebAssembly from a blob: URL.
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
          "connect-src blob:",
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

const rolldownOptions = { output: { comments: { legal: false } } };

export default {
  base: "./",
  plugins: [baseOfTensorFlow(), collectLicences(), viteSingleFile({ removeViteModuleLoader: true }), contentSecurityPolicy(), writeLicences()],
  worker: { format: "iife", plugins: () => [baseOfTensorFlow(), gzipped(), collectLicences()], rolldownOptions },
  // Inline, since else Node would load a second TensorFlow.js; and machines may be slow.
  test: { server: { deps: { inline: [/@tensorflow/] } }, testTimeout: 60_000 },
  build: {
    assetsInlineLimit: Infinity,
    target: "es2022",
    chunkSizeWarningLimit: Infinity,
    reportCompressedSize: false,
    rolldownOptions,
  },
};
