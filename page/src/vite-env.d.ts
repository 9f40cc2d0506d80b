/// <reference types="vite/client" />

/** A file, gzipped, in base64 (vite.config.js). */
declare module "*?gzip" {
  const base64: string;
  export default base64;
}
