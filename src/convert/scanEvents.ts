/**
 * Scan (Splice): created events of `/v0/state/acs` pages and of the bulk JSON lines, whose arguments are untyped JSON or
 * the JSON of the protobuf, and the base64 snapshot of `/v0/acs/{party}`, which is a whole snapshot file.
 */
import { AcsError } from '../io/error.js';
import { untypedArgument } from './jsonLedgerApiV2.js';
import type { JsonSlice } from './jsonMembers.js';
import { looksLikeProtobufRecord } from './ledgerApiJsonValue.js';
import { type ArgumentReader, eventOfJson, typedArgument } from './ledgerApiV2.js';
import type { SourceContract } from './sourceContract.js';

const scanArgument: ArgumentReader = (slice, kind) =>
  kind === 'record' && looksLikeProtobufRecord(slice.parse())
    ? typedArgument(slice, kind)
    : untypedArgument(slice, kind);

/** A created event, or a contract with blob (`{"template_id","contract_id","payload","created_event_blob","created_at"}`). */
export function scanContract(slice: JsonSlice): SourceContract {
  const members = slice.members();
  const wrapped = members.get('contract');
  const event = wrapped === undefined ? members : wrapped.members();
  const domain = members.string('domain_id', 'synchronizer_id');
  return eventOfJson(
    event,
    'scan-events',
    scanArgument,
    domain === undefined ? {} : { synchronizerId: domain },
  );
}

/** Decodes the base64 string under `member` of a JSON object, however long, as it streams by. */
export async function* streamBase64Member(
  chunks: AsyncIterable<Buffer>,
  member: string,
): AsyncGenerator<Buffer> {
  const opening = new RegExp(`^\\s*\\{(?:[^"{}[\\]]|"[^"]{0,1000}")*?"${member}"\\s*:\\s*"`);
  let head = '';
  let state: 'head' | 'value' | 'done' = 'head';
  let rest = '';
  let offset = 0;
  for await (const chunk of chunks) {
    let text = chunk.toString('latin1');
    offset += chunk.length;
    if (state === 'head') {
      head += text;
      const match = opening.exec(head);
      if (match === null) {
        if (head.length > 64 * 1024) break;
        continue;
      }
      state = 'value';
      text = head.slice(match[0].length);
    }
    if (state === 'done') {
      if (/[^\s,:"A-Za-z0-9_.{}[\]+-]/.test(text)) throw notBase64(offset, text);
      continue;
    }
    const quote = text.indexOf('"');
    if (quote >= 0) {
      state = 'done';
      text = text.slice(0, quote);
    }
    rest += text;
    // The escape of a slash may be cut by the end of a chunk.
    if (rest.includes('\\')) rest = rest.replaceAll('\\/', '/');
    const usable = state === 'done' ? rest.length : rest.length - (rest.length % 4) - 4;
    if (usable <= 0) continue;
    const part = rest.slice(0, usable);
    rest = rest.slice(usable);
    if (
      !/^[A-Za-z0-9+/]*={0,2}$/.test(part) ||
      (state === 'value' && part.includes('=')) ||
      part.length % 4 !== 0
    ) {
      throw notBase64(offset, part);
    }
    yield Buffer.from(part, 'base64');
  }
  if (state === 'head') {
    throw new AcsError('JSON_MEMBER_MISSING', `the JSON object lacks "${member}"`, {
      byteOffset: 0,
      expected: `"${member}"`,
    });
  }
  if (state === 'value') {
    throw new AcsError('JSON_TRUNCATED', 'the input ends inside a JSON value', {
      byteOffset: offset,
      expected: 'the rest of the base64 text',
    });
  }
}

function notBase64(byteOffset: number, text: string): AcsError {
  return new AcsError('BASE64_MALFORMED', 'the snapshot inside the JSON is not base64', {
    byteOffset,
    expected: 'base64',
    found: text.slice(-40),
  });
}
