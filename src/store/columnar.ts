/**
 * `acs store export --format parquet|csv|jsonl`: the intervals of contracts as columns, in folders by source and
 * synchronizer as DuckDB, Spark and Trino read them, for questions that outgrow one machine (docs/STORE.md).
 */
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { SchemaElement } from 'hyparquet-writer';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { formatMicros } from '../contract/time.js';
import { type AtomicFile, createAtomicFile } from '../io/atomicFile.js';
import { toolVersion } from '../io/toolVersion.js';
import { type AskFilter, describer, resolveQuestion } from './ask.js';
import { blobNumberSql } from './contractNumber.js';
import { type Db, withStore } from './open.js';
import { listSources } from './source.js';

export type ColumnarFormat = 'parquet' | 'csv' | 'jsonl';

export interface ColumnarOptions extends AskFilter {
  /** Default: every source with a base. */
  sources?: readonly string[] | undefined;
  format: ColumnarFormat;
  /** Also the contracts' blobs: bytes in Parquet, base64 in the text formats. */
  blobs?: boolean;
  onProgress?: (rows: number) => void;
}

export interface ColumnarResult {
  folder: string;
  format: ColumnarFormat;
  files: { path: string; source: string; synchronizer: string; rows: number; head: bigint }[];
  rows: number;
  partial: string[];
  /** Files of the same form that an earlier export left beside these: who reads the folder reads them too. */
  leftOver: string[];
}

/** One interval: a contract active on a synchronizer from one offset (inclusive) to another (exclusive). */
interface IntervalRow {
  contractId: string;
  reassignmentCounter: bigint;
  fromOffset: bigint;
  toOffset: bigint | null;
  closedBy: string | null;
  createdAt: bigint | null;
  packageId: string;
  packageName: string;
  template: string;
  signatories: string[];
  observers: string[];
  blob: Buffer | null;
}

const ROWS_PER_GROUP = 50_000;

/** Writes one file per source and synchronizer below `folder`. Intervals closed after the offset count as open. */
export async function exportColumns(
  path: string,
  folder: string,
  options: ColumnarOptions,
): Promise<ColumnarResult> {
  return withStore(path, {}, async ({ db }) => {
    const result: ColumnarResult = {
      folder,
      format: options.format,
      files: [],
      rows: 0,
      partial: [],
      leftOver: [],
    };
    const names =
      options.sources ??
      listSources(db)
        .filter((s) => s.base !== undefined)
        .map((s) => s.name);
    for (const name of names) {
      const q = resolveQuestion(db, name, options);
      if (q.partial !== undefined) result.partial.push(`${name}: ${q.partial}`);
      const synchronizers = db
        .prepare(
          'SELECT DISTINCT a.sync_pk, y.sync_id FROM activation a JOIN synchronizer y USING(sync_pk) WHERE a.source_pk = ? ORDER BY 2',
        )
        .raw()
        .all(q.source.pk) as [number, string][];
      for (const [sync, id] of synchronizers) {
        if (q.synchronizers !== undefined && !q.synchronizers.includes(sync)) continue;
        const file = join(
          folder,
          folderOf(name),
          `synchronizer=${encodeURIComponent(id)}`,
          `part-0.${options.format}`,
        );
        const where = [`a.source_pk = ${q.source.pk}`, `a.sync_pk = ${sync}`];
        if (q.templates !== undefined) where.push(`a.template_pk IN (${q.templates.join(',')})`);
        if (q.parties !== undefined)
          where.push(
            `c.set_pk IN (SELECT set_pk FROM party_set_member WHERE party_pk IN (${q.parties.join(',')}))`,
          );
        const rows = intervalRows(db, where.join(' AND '), q.offset, options.blobs === true);
        const written = await writeRows(file, rows, options, (n) => options.onProgress?.(result.rows + n));
        result.rows += written;
        result.files.push({ path: file, source: name, synchronizer: id, rows: written, head: q.offset });
      }
    }
    const written = new Set(result.files.map((file) => file.path));
    const folders = options.sources?.map(folderOf);
    for (const file of await partsBelow(folder, options.format))
      if (!written.has(file) && folders?.includes(relative(folder, file).split(sep)[0] ?? '') !== false)
        result.leftOver.push(file);
    return result;
  });
}

function folderOf(source: string): string {
  return `source=${encodeURIComponent(source)}`;
}

/** The files of an export, in the order of their names. */
async function partsBelow(folder: string, format: ColumnarFormat): Promise<string[]> {
  const found: string[] = [];
  const named = async (path: string, prefix: string): Promise<string[]> =>
    (await readdir(path, { withFileTypes: true }).catch(() => []))
      .filter((entry) => entry.isDirectory() && entry.name.startsWith(prefix))
      .map((entry) => join(path, entry.name));
  for (const source of await named(folder, 'source='))
    for (const synchronizer of await named(source, 'synchronizer='))
      for (const name of await readdir(synchronizer).catch(() => []))
        if (name.endsWith(`.${format}`)) found.push(join(synchronizer, name));
  return found.sort();
}

type Row = [
  id: Buffer,
  counter: bigint,
  from: bigint,
  to: bigint | null,
  kind: string | null,
  createdAt: bigint | null,
  template: bigint | null,
  set: bigint | null,
  blob: Buffer | null,
];

function* intervalRows(db: Db, where: string, offset: bigint, blobs: boolean): Generator<IntervalRow> {
  const describe = describer(db);
  const rows = db
    .prepare(
      `SELECT c.contract_id, a.counter, a.act_off, a.deact_off, k.name, c.created_at, a.template_pk, c.set_pk,
              ${blobs ? `(SELECT blob FROM contract_blob b WHERE b.rowid = ${blobNumberSql('c.contract_pk')})` : 'NULL'}
       FROM activation a CROSS JOIN contract c USING(contract_pk) LEFT JOIN event_kind k ON k.kind = a.deact_kind
       WHERE ${where} AND a.act_off <= :o ORDER BY a.contract_pk, a.act_event`,
    )
    .raw()
    .safeIntegers()
    .iterate({ o: offset }) as IterableIterator<Row>;
  for (const [id, counter, from, to, kind, createdAt, template, set, blob] of rows) {
    const t = describe.template(template);
    const parties = describe.set(set);
    const closed = to !== null && to <= offset;
    yield {
      contractId: id.toString('hex'),
      reassignmentCounter: counter,
      fromOffset: from,
      toOffset: closed ? to : null,
      closedBy: closed ? (kind ?? 'superseded') : null,
      createdAt,
      packageId: t.packageId,
      packageName: t.packageName,
      template: `${t.moduleName}:${t.entityName}`,
      signatories: parties.signatories,
      observers: parties.observers,
      blob,
    };
  }
}

interface Encoder {
  add(row: IntervalRow): void;
  /** The bytes since the last call. */
  take(): Uint8Array;
  /** The bytes that end the file. */
  finish(): Uint8Array;
}

async function writeRows(
  path: string,
  rows: Iterable<IntervalRow>,
  options: ColumnarOptions,
  onProgress: (rows: number) => void,
): Promise<number> {
  const file: AtomicFile = await createAtomicFile(path);
  try {
    const encoder =
      options.format === 'parquet'
        ? parquetEncoder(options.blobs === true)
        : textEncoder(options.format, options.blobs === true);
    let count = 0;
    for (const row of rows) {
      encoder.add(row);
      if (++count % ROWS_PER_GROUP === 0) {
        await file.write(encoder.take());
        onProgress(count);
      }
    }
    await file.write(encoder.finish());
    await file.commit();
    return count;
  } catch (error) {
    await file.abort();
    throw error;
  }
}

const TEXT_COLUMNS = [
  'contract_id',
  'reassignment_counter',
  'from_offset',
  'to_offset',
  'closed_by',
  'created_at',
  'package_id',
  'package_name',
  'template',
  'signatories',
  'observers',
];

function textEncoder(format: 'csv' | 'jsonl', blobs: boolean): Encoder {
  const columns = blobs ? [...TEXT_COLUMNS, 'blob'] : TEXT_COLUMNS;
  let lines: string[] = format === 'csv' ? [columns.join(',')] : [];
  const take = (): Uint8Array => {
    const text = lines.length === 0 ? '' : `${lines.join('\n')}\n`;
    lines = [];
    return Buffer.from(text);
  };
  return {
    add(row) {
      const values: (string | null | string[])[] = [
        row.contractId,
        row.reassignmentCounter.toString(),
        row.fromOffset.toString(),
        row.toOffset?.toString() ?? null,
        row.closedBy,
        row.createdAt === null ? null : formatMicros(row.createdAt),
        row.packageId,
        row.packageName,
        row.template,
        row.signatories,
        row.observers,
      ];
      if (blobs) values.push(row.blob?.toString('base64') ?? null);
      if (format === 'jsonl')
        lines.push(JSON.stringify(Object.fromEntries(columns.map((name, i) => [name, values[i]]))));
      else lines.push(values.map(csvCell).join(','));
    },
    take,
    finish: take,
  };
}

/** Lists are joined by `;`, which no party id contains. */
function csvCell(value: string | null | string[]): string {
  if (value === null) return '';
  const text = Array.isArray(value) ? value.join(';') : value;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const text = (name: string, optional = false): SchemaElement => ({
  name,
  type: 'BYTE_ARRAY',
  converted_type: 'UTF8',
  repetition_type: optional ? 'OPTIONAL' : 'REQUIRED',
});
const int64 = (name: string, optional = false): SchemaElement => ({
  name,
  type: 'INT64',
  repetition_type: optional ? 'OPTIONAL' : 'REQUIRED',
});
const textList = (name: string): SchemaElement[] => [
  { name, converted_type: 'LIST', repetition_type: 'REQUIRED', num_children: 1 },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  text('element'),
];

function parquetEncoder(blobs: boolean): Encoder {
  const columns: [string, SchemaElement[], (row: IntervalRow) => unknown][] = [
    ['contract_id', [text('contract_id')], (r) => r.contractId],
    ['reassignment_counter', [int64('reassignment_counter')], (r) => r.reassignmentCounter],
    ['from_offset', [int64('from_offset')], (r) => r.fromOffset],
    ['to_offset', [int64('to_offset', true)], (r) => r.toOffset],
    ['closed_by', [text('closed_by', true)], (r) => r.closedBy],
    [
      'created_at',
      [
        {
          name: 'created_at',
          type: 'INT64',
          converted_type: 'TIMESTAMP_MICROS',
          repetition_type: 'OPTIONAL',
        },
      ],
      (r) => r.createdAt,
    ],
    ['package_id', [text('package_id')], (r) => r.packageId],
    ['package_name', [text('package_name')], (r) => r.packageName],
    ['template', [text('template')], (r) => r.template],
    ['signatories', textList('signatories'), (r) => r.signatories],
    ['observers', textList('observers'), (r) => r.observers],
  ];
  if (blobs)
    columns.push([
      'blob',
      [{ name: 'blob', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' }],
      (r) => r.blob ?? null,
    ]);
  const bytes = new ByteWriter();
  const writer = new ParquetWriter({
    writer: bytes,
    schema: [{ name: 'intervals', num_children: columns.length }, ...columns.flatMap(([, schema]) => schema)],
    createdBy: toolVersion(),
  });
  let data: unknown[][] = columns.map(() => []);
  const drain = (): Uint8Array => {
    // The writer counts file offsets by itself; emptying its buffer is how it is used with files.
    const out = Uint8Array.from(bytes.getBytes());
    bytes.index = 0;
    return out;
  };
  const flush = (): void => {
    if (data[0].length === 0) return;
    writer.write({
      columnData: columns.map(([name], i) => ({ name, data: data[i] })),
      rowGroupSize: ROWS_PER_GROUP,
    });
    data = columns.map(() => []);
  };
  return {
    add(row) {
      for (let i = 0; i < columns.length; i++) data[i].push(columns[i][2](row));
    },
    take() {
      flush();
      return drain();
    },
    finish() {
      flush();
      writer.finish();
      return drain();
    },
  };
}
