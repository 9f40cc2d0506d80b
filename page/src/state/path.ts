/** The strongest path from the verdict back to the image. */

import { useEffect, useRef, useState } from "preact/hooks";

import { indexOfMax } from "../arithmetic/layers";
import { stepBack, type Node, type Step } from "../arithmetic/strongestPath";
import type { Layer } from "../contract";
import type { Engine } from "../network/engine";

/** From the highest unit of the last layer back; null while it is computed, or if nobody asked for it. */
export function usePath(engine: Engine, layers: Layer[], outputs: Float32Array[], wanted: boolean): Step[] | null {
  const [path, setPath] = useState<Step[] | null>(null);
  const filters = useRef(new Map<string, Float32Array>());
  useEffect(() => {
    if (!wanted) return setPath(null);
    let newest = true;
    const filterOf = async ({ layer, channel }: Node) => {
      const { arithmetic, shape } = layers[layer];
      if (!arithmetic || !("kernel" in arithmetic)) return null;
      const key = `${layer},${channel}`;
      if (!filters.current.has(key))
        filters.current.set(key, await engine.filter(arithmetic.kernel, channel, shape.at(-1)!));
      return filters.current.get(key)!;
    };
    const follow = async () => {
      const steps: Step[] = [];
      const last = layers.length - 1;
      let node: Node = { layer: last, channel: indexOfMax(outputs[last]), position: [0, 0] };
      for (;;) {
        const step = stepBack(layers, outputs, node, await filterOf(node));
        if (!newest) return;
        if (!step) break;
        steps.push(step);
        node = step.to;
      }
      setPath(steps);
    };
    void follow();
    return () => {
      newest = false;
    };
  }, [engine, outputs, wanted]);
  return wanted ? path : null;
}
