/** Formats D and E: text dumps of Canton 2.5 to 2.10, one base64 contract per line (snapshot-format spec, 9.3 and 9.4). */
import { parseUid } from '../contract/identifier.js';
import { AcsError } from '../io/error.js';
import { decodeBase64 } from './jsonMembers.js';
import { readSerializableContract } from './serializableContract.js';
import type { SourceContract } from './sourceContract.js';

/** Longest line accepted. */
export const MAX_LINE_BYTES = 64 << 20;

const HEADER = 'domain-id:';

/** Takes chunks, then `undefined` for the end. */
export function textDumpReader(
  format: 'D' | 'E',
  visit: (contract: SourceContract, line: number) => void,
): (chunk: Buffer | undefined) => void {
  let carried: Buffer[] = [];
  let carriedBytes = 0;
  let line = 0;
  let domain: string | undefined;

  function take(bytes: Buffer): void {
    line++;
    let end = bytes.length;
    if (end > 0 && bytes[end - 1] === 0x0d) end--;
    if (end === 0) return;
    const text = bytes.toString('latin1', 0, end);
    try {
      if (format === 'D') takeColon(text);
      else takeHeader(text);
    } catch (error) {
      // Offsets inside the decoded contract do not point into the file; the line does.
      if (
        error instanceof AcsError &&
        error.place.byteOffset !== undefined &&
        error.place.stream === undefined
      ) {
        error.locate({ stream: 'record' });
      }
      throw error instanceof AcsError ? error.locate({ line, record: line - 1 }) : error;
    }
  }

  function takeColon(text: string): void {
    const parts = text.split(':::');
    if (parts.length !== 2) {
      throw new AcsError('LINE_MALFORMED', 'a line of a format-D dump has the wrong form', {
        expected: 'domain id, ":::", base64',
        found: text.slice(0, 60),
      });
    }
    contract(parts[1], checkedDomain(parts[0]));
  }

  function takeHeader(text: string): void {
    if (text.startsWith(HEADER)) {
      domain = checkedDomain(text.slice(HEADER.length));
      return;
    }
    if (domain === undefined) {
      throw new AcsError('LINE_MALFORMED', 'a contract stands before the first domain-id line', {
        expected: 'domain-id:<domain>',
        found: text.slice(0, 60),
      });
    }
    contract(text, domain);
  }

  function contract(base64: string, domainId: string): void {
    const bytes = decodeBase64(base64);
    visit(readSerializableContract(bytes, 0, bytes.length, format, domainId), line);
  }

  return (chunk) => {
    if (chunk === undefined) {
      if (carriedBytes > 0) take(Buffer.concat(carried));
      return;
    }
    let start = 0;
    for (;;) {
      const lineEnd = chunk.indexOf(0x0a, start);
      if (lineEnd < 0) break;
      const part = chunk.subarray(start, lineEnd);
      if (carriedBytes === 0) take(part);
      else {
        carried.push(part);
        const whole = Buffer.concat(carried);
        carried = [];
        carriedBytes = 0;
        take(whole);
      }
      start = lineEnd + 1;
    }
    if (start < chunk.length) {
      carried.push(Buffer.from(chunk.subarray(start)));
      carriedBytes += chunk.length - start;
      if (carriedBytes > MAX_LINE_BYTES) {
        throw new AcsError('LINE_TOO_LONG', 'a line of the dump is longer than allowed', {
          line: line + 1,
          expected: `at most ${MAX_LINE_BYTES} bytes`,
        });
      }
    }
  };
}

function checkedDomain(text: string): string {
  const uid = parseUid(text);
  if (typeof uid === 'string') {
    throw new AcsError('LINE_MALFORMED', `not a domain id: ${uid}`, {
      expected: 'name::fingerprint',
      found: text.slice(0, 80),
    });
  }
  return text;
}
