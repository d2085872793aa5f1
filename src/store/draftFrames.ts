/** Drafting the frames of a snapshot batch by batch: one draft for every frame. */
import { AcsError } from '../io/error.js';
import { RecordView } from '../snapshot/record.js';
import { DRAFT, DRAFT_WIDTH, eventDrafter } from './draftEvents.js';

/** Numbers per frame in the list of what is to be drafted: start, start of the body, end. */
export const SPAN_WIDTH = 3;

/** Drafts `count` frames of a batch. */
export type FrameDrafter = (batch: Buffer, spans: Int32Array, count: number) => Float64Array<ArrayBuffer>;

export function frameDrafter(): FrameDrafter {
  const record = new RecordView();
  const draftEvent = eventDrafter(true);

  /** False: there is no draft. An error is told when it is the frame's turn. */
  function drafts(
    batch: Buffer,
    start: number,
    body: number,
    end: number,
    out: Float64Array,
    at: number,
  ): boolean {
    try {
      return draftEvent(record.parse(batch, start, body, end, 0, 0), out, at);
    } catch (error) {
      if (error instanceof AcsError) return false;
      throw error;
    }
  }

  return (batch, spans, count) => {
    const out = new Float64Array(count * DRAFT_WIDTH);
    for (let i = 0, at = 0; i < count * SPAN_WIDTH; i += SPAN_WIDTH, at += DRAFT_WIDTH) {
      if (!drafts(batch, spans[i], spans[i + 1], spans[i + 2], out, at)) out[at + DRAFT.blobStart] = -1;
    }
    return out;
  };
}
