/** A DALF: one Daml-LF package with its hash (daml-lf spec, section 1.3). */
import { createHash } from 'node:crypto';
import { AcsError } from '../io/error.js';
import { LF1, LF2, type LfLayout } from './lfLayout.js';
import { decodePackage } from './packageDecoder.js';
import type { Package } from './type.js';
import { WireMessage } from './wireMessage.js';

/** The outer message, its hash checked, its payload not looked into. */
export interface DalfArchive {
  readonly packageId: string;
  /** View of the encoded ArchivePayload. */
  readonly payload: Buffer;
}

const HASH_SHA256 = 0;

const LF1_MINORS = new Set(['6', '7', '8', '11', '12', '13', '14', '15', '16', '17', 'dev']);
const LF2_MINORS = new Set(['1', '2', '3', '4-rc1', 'dev']);

/**
 * Opens the outer message.
 * Errors: `DALF_MALFORMED`, `DALF_HASH_MISMATCH`.
 */
export function openDalf(bytes: Buffer): DalfArchive {
  const message = inDalf(() => new WireMessage(bytes));
  const payload = inDalf(() => message.bytes(3));
  if (payload === undefined) {
    throw new AcsError('DALF_MALFORMED', 'this is not a DALF: the archive message has no payload', {
      stream: 'dar',
      expected: 'a Daml-LF archive',
    });
  }
  const hashFunction = inDalf(() => message.int(1));
  if (hashFunction !== HASH_SHA256) {
    throw new AcsError('DALF_MALFORMED', 'unknown hash function', {
      expected: `${HASH_SHA256} (SHA-256)`,
      found: `${hashFunction}`,
    });
  }
  const packageId = createHash('sha256').update(payload).digest('hex');
  const stated = inDalf(() => message.string(4)) ?? '';
  if (stated !== packageId) {
    throw new AcsError('DALF_HASH_MISMATCH', 'the package does not hash to the id it states', {
      expected: stated === '' ? '(no hash stated)' : stated,
      found: packageId,
      hint: 'the file is damaged or was changed; get the DAR again',
    });
  }
  return { packageId, payload };
}

/**
 * Decodes the package of an opened archive.
 * Errors: `DALF_UNSUPPORTED_VERSION`, `DALF_MALFORMED`, `DALF_TOO_LARGE`.
 */
export function decodeDalf(archive: DalfArchive): Package {
  return inDalf(() => {
    const message = new WireMessage(archive.payload);
    const arm = message.arm([2, 4]);
    const minor = message.string(3) ?? '';
    const layout: LfLayout | undefined = arm === 4 ? LF2 : arm === 2 ? LF1 : undefined;
    const version = `${layout === undefined ? '?' : layout.major}.${minor}`;
    if (layout === undefined || !(layout.major === 2 ? LF2_MINORS : LF1_MINORS).has(minor)) {
      throw new AcsError('DALF_UNSUPPORTED_VERSION', `Daml-LF ${version} cannot be read`, {
        expected: 'Daml-LF 1.6 to 1.17, 2.1, 2.2, 2.3, 2.4-rc1 or 2.dev',
        found: version,
      });
    }
    const body = message.bytes(arm);
    if (body === undefined) throw new AcsError('DALF_MALFORMED', 'the archive has no package');
    return decodePackage(new WireMessage(body), layout, archive.packageId, version);
  });
}

/** Wire errors inside a DALF get a code of their own, so that a user sees which kind of file is broken. */
function inDalf<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof AcsError) || !error.code.startsWith('WIRE_')) throw error;
    throw new AcsError('DALF_MALFORMED', error.message, {
      stream: 'dar',
      byteOffset: error.place.byteOffset,
      expected: error.expected,
      found: error.found,
      cause: error,
    });
  }
}
