/** Whether every stakeholder of a contract occurs in its argument, as is usual. */
import type { BlobView } from '../contract/blob.js';
import { sameBytes } from '../wire/sameBytes.js';
import type { ScalarCopier } from './storedScalars.js';

/** A stakeholder that is no party of the argument just walked. */
export function hasPartyOutside(view: BlobView, form: ScalarCopier): boolean {
  const found = form.partyBorders;
  const size = view.signatoryBorders.length + view.observerBorders.length + view.maintainerBorders.length;
  if (size * found.length > 16_384) {
    const inside = new Set<string>();
    for (let i = 0; i < found.length; i += 2) inside.add(form.buf.toString('latin1', found[i], found[i + 1]));
    const outside = (borders: readonly number[]): boolean => {
      for (let i = 0; i < borders.length; i += 2) {
        if (!inside.has(view.buf.toString('latin1', borders[i], borders[i + 1]))) return true;
      }
      return false;
    };
    return outside(view.signatoryBorders) || outside(view.observerBorders) || outside(view.maintainerBorders);
  }
  return (
    someOutside(view.buf, view.signatoryBorders, form) ||
    someOutside(view.buf, view.observerBorders, form) ||
    someOutside(view.buf, view.maintainerBorders, form)
  );
}

function someOutside(buf: Buffer, borders: readonly number[], form: ScalarCopier): boolean {
  const inside = form.partyBorders;
  const other = form.buf;
  for (let i = 0; i < borders.length; i += 2) {
    const start = borders[i];
    const n = borders[i + 1] - start;
    let known = false;
    for (let j = 0; j < inside.length && !known; j += 2) {
      const at = inside[j];
      known = inside[j + 1] - at === n && sameBytes(buf, start, start + n, other, at);
    }
    if (!known) return true;
  }
  return false;
}
