/** Telling every readable form apart by its first inflated bytes. */
import { AcsError } from '../io/error.js';
import { detectInflated } from '../snapshot/format.js';
import { WireReader } from '../wire/reader.js';
import type { SourceFormat } from './sourceContract.js';

/** Bytes that settle the form in practice; the beginning of a large first record is enough. */
export const DETECT_BYTES = 256 * 1024;

/** `undefined` when nothing fits; `empty` for no bytes at all. `whole` says that `head` is all there is. */
export function detectSource(head: Buffer, whole: boolean): SourceFormat | 'empty' | undefined {
  if (head.length === 0) return 'empty';
  const json = detectJson(head);
  if (json !== undefined) return json;
  const snapshot = detectInflated(head, whole);
  if (snapshot === 'A' || snapshot === 'B' || snapshot === 'C' || snapshot === 'D' || snapshot === 'E')
    return snapshot;
  return detectResponse(head);
}

/** Length-delimited Ledger API responses, by the shape of the first one. */
function detectResponse(head: Buffer): SourceFormat | undefined {
  try {
    const r = new WireReader(head);
    while (r.pos < head.length) {
      const length = r.uint32();
      const end = Math.min(head.length, r.pos + length);
      const found = responseShape(head, r.pos, end);
      if (found !== undefined) return found;
      r.pos = end;
    }
  } catch (error) {
    if (!(error instanceof AcsError)) throw error;
  }
  return undefined;
}

function responseShape(head: Buffer, start: number, end: number): SourceFormat | undefined {
  const r = new WireReader(head, start, end);
  while (r.pos < end) {
    const tag = r.tag();
    if ((tag & 7) !== 2 || tag >>> 3 > 5) return undefined;
    const n = r.uint32();
    const innerEnd = Math.min(end, r.pos + n);
    const inner = { start: r.pos, end: innerEnd };
    r.pos = innerEnd;
    const field = tag >>> 3;
    if (field === 2 && isMessageWithEvent(head, inner.start, inner.end)) return 'ledger-api-v2';
    if (field === 3)
      return isMessageWithEvent(head, inner.start, inner.end) ? 'ledger-api-v2' : v1(head, inner);
    // `{"` reads like a field 4 too, so look for the assigned event inside.
    if (field === 4) return head[inner.start] === 0x0a ? 'ledger-api-v2' : undefined;
  }
  return undefined;
}

/** `{1: created_event{… 3: contract id …}}`: its first field is a message whose field 3 or 4 is length-delimited. */
function isMessageWithEvent(head: Buffer, start: number, end: number): boolean {
  try {
    const r = new WireReader(head, start, end);
    if (r.tag() !== 0x0a) return false;
    const n = r.uint32();
    const inner = new WireReader(head, r.pos, Math.min(end, r.pos + n));
    while (inner.pos < inner.end) {
      const tag = inner.tag();
      if (tag === 0x1a) {
        const idLength = inner.uint32();
        return /^[0-9a-f]*$/.test(
          head.toString('latin1', inner.pos, Math.min(inner.end, inner.pos + idLength)),
        );
      }
      if (tag >>> 3 > 3) return false;
      inner.skip(tag & 7);
    }
  } catch (error) {
    if (!(error instanceof AcsError)) throw error;
  }
  return false;
}

/** A v1 event: contract id (2) is a string, template id (3) a message. */
function v1(head: Buffer, { start, end }: { start: number; end: number }): SourceFormat | undefined {
  try {
    const r = new WireReader(head, start, end);
    while (r.pos < end) {
      const tag = r.tag();
      if (tag === 0x12) return 'ledger-api-v1';
      if (tag !== 0x0a) return undefined;
      r.skip(2);
    }
  } catch (error) {
    if (!(error instanceof AcsError)) throw error;
  }
  return undefined;
}

function detectJson(head: Buffer): SourceFormat | undefined {
  // A byte order mark is refused by the reader, by name.
  const text = head
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trimStart();
  if (!text.startsWith('{') && !text.startsWith('[')) return undefined;
  // A frame whose length happens to be that character goes on with the tag of an envelope.
  if (
    head[1] === 0x0a &&
    head[0] === text.charCodeAt(0) &&
    head[2] !== 0x20 &&
    head[2] !== 0x22 &&
    head[2] !== 0x0a
  ) {
    if (detectInflated(head) !== 'unknown') return undefined;
  }
  const names = firstNames(text);
  const has = (name: string): boolean => names.has(name);
  if (has('contractEntry')) return 'json-ledger-api-v2';
  if (has('acs_snapshot')) return 'scan-snapshot';
  if (has('created_events') || has('created_event_blob') || has('create_arguments') || has('contract_id'))
    return 'scan-events';
  if (has('activeContract') || has('incompleteUnassigned') || has('incompleteAssigned'))
    return 'ledger-api-v2-json';
  if (has('activeContracts')) {
    return has('activeAtOffset') || has('nextPageToken') || /"activeContracts"\s*:\s*\[\s*\]/.test(text)
      ? 'json-ledger-api-v2'
      : 'ledger-api-v1-json';
  }
  if (has('events') || has('heartbeat')) return 'json-api-v1-stream';
  if (has('result') || has('payload') || (has('status') && has('errors'))) return 'json-api-v1';
  if (has('streamContinuationToken')) return 'ledger-api-v2-json';
  return undefined;
}

/** Member names at the first three levels of the text (strings in front of a colon); the text may be cut. */
function firstNames(text: string): Set<string> {
  const names = new Set<string>();
  let depth = 0;
  let objects = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '"') {
      let end = i + 1;
      while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
      if (end >= text.length) break;
      let after = end + 1;
      while (after < text.length && /\s/.test(text[after])) after++;
      if (text[after] === ':' && objects <= 2 && depth <= 4) names.add(text.slice(i + 1, end));
      i = end;
    } else if (c === '{') {
      depth++;
      objects++;
    } else if (c === '[') depth++;
    else if (c === '}') {
      depth--;
      objects--;
    } else if (c === ']') depth--;
  }
  return names;
}
