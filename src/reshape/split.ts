/**
 * `acs split`: one snapshot in several. Every contract goes to exactly one part, except by party, where it goes to a
 * part per stakeholder. Records are copied byte for byte and keep their order. The names of the parts depend on what is
 * in them only, so the same input gives the same files.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { ContractView } from '../contract/contractView.js';
import { AcsError, usageError } from '../io/error.js';
import type { ByteInput } from '../io/input.js';
import { refuseInputAsOutput } from '../io/inputAsOutput.js';
import type { RecordView } from '../snapshot/record.js';
import { decodeUtf8 } from '../wire/reader.js';
import { eachStakeholder } from './conditions.js';
import { type PartWriterOptions, partWriter } from './partWriter.js';
import { openReshapeInput, type ReshapeReadOptions } from './reshapeInput.js';

export type SplitBy =
  | { by: 'synchronizer' | 'template' | 'party' }
  /** At most `size` contracts, or inflated bytes, per part; a single larger record is a part by itself. */
  | { by: 'count' | 'bytes'; size: number };

export interface SplitOptions {
  read?: ReshapeReadOptions;
  write?: PartWriterOptions;
  /** Beginning of every part's name. Default: the name of the input without its extension. */
  prefix?: string;
  /** More parts than this are refused. Default {@link MAX_PARTS}. */
  maxParts?: number;
}

export const MAX_PARTS = 10_000;

export interface SplitPart {
  file: string;
  /** Synchronizer id, template (`package:module:entity`) or party; the number of the part by count and bytes. */
  key: string;
  contracts: number;
  compressedBytes: number;
  inflatedBytes: number;
}

export interface SplitResult {
  input: string;
  /** Contracts read. */
  contracts: number;
  /** Empty records of contracts in flight: they belong to no part. */
  inFlight: number;
  parts: SplitPart[];
}

/** Writes the parts into `folder`. They get their names together at the end; on an error none appears. */
export async function splitSnapshot(
  input: ByteInput,
  folder: string,
  how: SplitBy,
  options: SplitOptions = {},
): Promise<SplitResult> {
  if ('size' in how && !(Number.isSafeInteger(how.size) && how.size > 0)) {
    throw usageError(`the size of a part is ${how.size}`, 'give a whole number above 0 with --size');
  }
  if (options.prefix !== undefined && !/^[^/\0]+$/.test(options.prefix)) {
    throw usageError(
      `--prefix ${JSON.stringify(options.prefix)} cannot begin the name of a file`,
      'the folder is given with --directory',
    );
  }
  const source = await openReshapeInput(input, options.read);
  const prefix = options.prefix ?? prefixOf(source.name);
  const maxParts = options.maxParts ?? MAX_PARTS;
  const writer = partWriter(options.write);
  const keys: string[] = [];
  const numbers = new Map<string, number>();
  const paths: string[] = [];
  let contracts = 0;
  let inFlight = 0;

  function partOf(key: string, name: () => string): number {
    let number = numbers.get(key);
    if (number === undefined) {
      if (keys.length >= maxParts) {
        throw new AcsError('SPLIT_TOO_MANY_PARTS', 'the split would make too many files', {
          expected: `at most ${maxParts} parts`,
          found: `more; the next one would be for ${key}`,
          hint: 'raise --max-parts if that is meant',
          exitCode: 2,
        });
      }
      const path = join(folder, `${prefix}.${name()}.acs.gz`);
      number = writer.open(path);
      numbers.set(key, number);
      keys.push(key);
      paths.push(path);
    }
    return number;
  }

  const place = placement(how, partOf, (part, record) => writer.add(part, record));
  try {
    await source.scan(
      (record) => {
        if (record.inFlight) {
          inFlight++;
          return;
        }
        contracts++;
        place(record);
      },
      () => writer.ready(),
    );
    for (const path of paths) await refuseInputAsOutput([input], path);
    const written = await writer.finish();
    return {
      input: source.name,
      contracts,
      inFlight,
      parts: written
        .map(({ path, ...counts }, i) => ({ file: path, key: keys[i], ...counts }))
        .sort((a, b) => (a.file < b.file ? -1 : 1)),
    };
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

type PartOf = (key: string, name: () => string) => number;

function placement(
  how: SplitBy,
  partOf: PartOf,
  add: (part: number, record: RecordView) => void,
): (record: RecordView) => void {
  const contract = new ContractView();
  const named = (key: string, readable: string): number => partOf(key, () => partName(key, readable));
  switch (how.by) {
    case 'synchronizer':
      return (record) => {
        const id = record.synchronizerId;
        add(named(id, hintOf(id)), record);
      };
    case 'template':
      return (record) => {
        contract.of(record);
        const { packageId, moduleName, entityName } = (contract.hasBlob ? contract.blob : contract)
          .templateId;
        add(named(`${packageId}:${moduleName}:${entityName}`, `${moduleName}.${entityName}`), record);
      };
    case 'party':
      return (record) => {
        eachStakeholder(contract.of(record), (buf, start, end) => {
          const party = decodeUtf8(buf, start, end);
          add(
            named(party, party.slice(0, party.indexOf('::') < 0 ? party.length : party.indexOf('::'))),
            record,
          );
        });
      };
    default:
      return bySize(how, partOf, add);
  }
}

function bySize(
  how: { by: 'count' | 'bytes'; size: number },
  partOf: PartOf,
  add: (part: number, record: RecordView) => void,
): (record: RecordView) => void {
  let number = 0;
  let used = 0;
  return (record) => {
    const cost = how.by === 'count' ? 1 : record.end - record.start;
    if (number === 0 || (used > 0 && used + cost > how.size)) {
      number++;
      used = 0;
    }
    used += cost;
    add(
      partOf(String(number), () => String(number).padStart(5, '0')),
      record,
    );
  };
}

function hintOf(id: string): string {
  const at = id.indexOf('::');
  return at < 0 ? id : id.slice(0, at);
}

/** Readable and unique: what is allowed in any file system, and the beginning of a digest of the whole key. */
function partName(key: string, readable: string): string {
  const digest = createHash('sha256').update(key).digest('hex').slice(0, 12);
  const safe = readable.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 60);
  return `${safe}-${digest}`;
}

/** What the names of the parts begin with unless told. */
export function prefixOf(name: string): string {
  const base = name.slice(name.lastIndexOf('/') + 1).replace(/(\.acs)?\.gz$/, '');
  return /^[A-Za-z0-9_]/.test(base) ? base : 'part';
}
