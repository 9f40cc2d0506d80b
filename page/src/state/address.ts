/** Keeps what is shown in the page's address, so that Back, Forward and Reload find it again. */

import { useEffect, useRef } from "preact/hooks";

import { samePlaces } from "../arithmetic/address";

/** `text` is the address of what is shown, "" before anything is; `go` shows what an address names. */
export function useAddress(text: string, go: (hash: string) => Promise<void>): void {
  const newest = useRef(go);
  newest.current = go;
  const restoring = useRef(0);
  useEffect(() => {
    const restore = async () => {
      restoring.current++;
      await newest.current(location.hash);
      restoring.current--;
    };
    addEventListener("popstate", restore);
    return () => removeEventListener("popstate", restore);
  }, []);
  const before = useRef("");
  useEffect(() => {
    if (!text || restoring.current) return;
    const moved = before.current === "" || samePlaces(before.current, text);
    before.current = text;
    if (text === location.hash) return;
    if (moved) history.replaceState(null, "", text);
    else history.pushState(null, "", text);
  }, [text]);
}
