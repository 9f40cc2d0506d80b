/** What the article says about a part of the page, in a dialog. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { blocks, formula, type Block, type Inline, type Part } from "../arithmetic/markdown";
import type { Chapter } from "../contract";

export function ArticleLink({ chapter, children }: { chapter: Chapter; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [open, setOpen] = useState(false);
  useEffect(() => {
    if (open) dialog.current!.showModal();
  }, [open]);
  return (
    <>
      <button type="button" class="link" onClick={() => setOpen(true)}>
        {children}
      </button>
      {open && (
        <dialog
          class="article"
          ref={dialog}
          aria-label={chapter.heading}
          onClick={(event) => event.target === dialog.current && dialog.current?.close()}
          onClose={() => setOpen(false)}
        >
          <div class="page" tabIndex={0} role="document">
            <form method="dialog">
              <button type="submit" class="plain">
                Close
              </button>
            </form>
            <h2>{chapter.heading}</h2>
            {blocks(chapter.text).map(written)}
          </div>
        </dialog>
      )}
    </>
  );
}

function written(block: Block, key: number) {
  switch (block.kind) {
    case "heading":
      return <h3 key={key}>{block.text}</h3>;
    case "code":
      return <pre key={key}>{block.text}</pre>;
    case "math":
      return (
        <p class="formula" key={key}>
          {formula(block.text).map(set)}
        </p>
      );
    case "figure":
      return (
        <p class="aside" key={key}>
          Figure in the article: {block.text}.
        </p>
      );
    default:
      return (
        <p class={block.kind} key={key}>
          {block.text.map(inlined)}
        </p>
      );
  }
}

function inlined({ kind, text }: Inline, key: number) {
  if (kind === "strong") return <strong key={key}>{text}</strong>;
  if (kind === "em") return <em key={key}>{text}</em>;
  if (kind === "code") return <code key={key}>{text}</code>;
  if (kind === "math") return <span key={key}>{formula(text).map(set)}</span>;
  return text;
}

function set({ place, text }: Part, key: number): ComponentChildren {
  const inner = typeof text === "string" ? text : text.map(set);
  if (place === "line") return inner;
  return place === "sub" ? <sub key={key}>{inner}</sub> : <sup key={key}>{inner}</sup>;
}
