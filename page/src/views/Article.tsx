/** The chapter of the article that explains a view: beside it on a wide screen, before it on a narrow one. */

import "./article.css";

import { createContext, type ComponentChildren } from "preact";
import { useContext, useEffect, useRef, useState } from "preact/hooks";

import type { Chapter, Page } from "../contract";

type Articles = Page["article"];

export const Reading = createContext<(chapter: Chapter) => void>(() => {});

export function ArticleLink({ chapter, children }: { chapter: Chapter; children: ComponentChildren }) {
  const read = useContext(Reading);
  return (
    <button type="button" class="link" onClick={() => read(chapter)}>
      {children}
    </button>
  );
}

/** The chapter that is open; another view brings its own. On a screen as wide as two it is open from the start. */
export function useChapter(articles: Articles, view: string) {
  const wide = useMedia("(min-width: 1100px)");
  const own = Object.hasOwn(articles, view) ? articles[view as keyof Omit<Articles, "site">] : null;
  const [chapter, setChapter] = useState<Chapter | null>(useMedia("(min-width: 1680px)") ? own : null);
  const opener = useRef<HTMLElement | null>(null);
  useEffect(() => setChapter((open) => (open && own ? own : open)), [own]);
  const read = (asked: Chapter) => {
    opener.current = document.activeElement as HTMLElement;
    setChapter(asked);
    requestAnimationFrame(() => document.querySelector<HTMLElement>(".beside .chapter")?.focus({ preventScroll: true }));
  };
  const close = () => {
    setChapter(null);
    requestAnimationFrame(() => {
      const tab = document.querySelector<HTMLElement>("[role=tab][aria-selected=true]");
      (opener.current?.isConnected ? opener.current : tab)?.focus();
    });
  };
  return { chapter, wide, own, read, close };
}

export function ChapterPanel({ chapter, site, wide, onClose }: ChapterProps & { wide: boolean }) {
  return wide ? <Beside chapter={chapter} site={site} onClose={onClose} /> : <Before chapter={chapter} site={site} onClose={onClose} />;
}

interface ChapterProps {
  chapter: Chapter;
  site: string;
  onClose(): void;
}

function Beside({ chapter, site, onClose }: ChapterProps) {
  return (
    <aside class="article beside" aria-label={chapter.heading} onKeyDown={(event) => event.key === "Escape" && onClose()}>
      <Text chapter={chapter} site={site} onClose={onClose} />
    </aside>
  );
}

function Before({ chapter, site, onClose }: ChapterProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current!.showModal(), []);
  return (
    <dialog
      class="article"
      ref={dialog}
      aria-label={chapter.heading}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
      onClose={onClose}
    >
      <Text chapter={chapter} site={site} onClose={() => dialog.current!.close()} />
    </dialog>
  );
}

function Text({ chapter, site, onClose }: ChapterProps) {
  const start = useRef<HTMLDivElement>(null);
  useEffect(() => start.current!.scrollTo(0, 0), [chapter]);
  return (
    <div class="chapter" ref={start} tabIndex={0} role="document" aria-label={chapter.heading}>
      <div class="title">
        <h2>{chapter.heading}</h2>
        <button type="button" class="plain" onClick={onClose}>
          Close
        </button>
      </div>
      {site && (
        <p class="aside">
          <a href={site + chapter.address}>This chapter with its figures</a>
        </p>
      )}
      <div class="prose" dangerouslySetInnerHTML={{ __html: chapter.html }} />
    </div>
  );
}

export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const follow = () => setMatches(media.matches);
    media.addEventListener("change", follow);
    return () => media.removeEventListener("change", follow);
  }, [query]);
  return matches;
}
