/** Creating a snapshot file together with its optional manifest. */
import { refuseExisting } from '../io/atomicFile.js';
import { toolVersion } from '../io/toolVersion.js';
import { RecordView } from '../snapshot/record.js';
import { openSnapshotWriter, type SnapshotWriterOptions, type SnapshotWritten } from '../snapshot/writer.js';
import { type Manifest, type ManifestOrigin, manifestPath, writeManifest } from './manifest.js';
import { manifestTally } from './manifestTally.js';

export interface SnapshotFileOptions extends SnapshotWriterOptions {
  /** Write `FILE.manifest.json` too; not possible on standard output. */
  manifest?: boolean;
  origin?: ManifestOrigin;
}

export interface SnapshotFileWritten extends SnapshotWritten {
  manifest?: Manifest;
}

export interface SnapshotFile {
  readonly path: string;
  /** Copies a record byte for byte. */
  writeRecord(record: RecordView): void;
  /** Writes a frame built by `encodeRecord`. */
  writeFrame(frame: Buffer): void;
  /** Writes frames that lie side by side and end at `ends`; see `writeFrames` of the snapshot writer. */
  writeFrames(frames: Buffer, ends: Int32Array, released: () => void): void;
  /** Await once per chunk of input. */
  ready(): Promise<void>;
  /** Completes the file, then the manifest. */
  finish(): Promise<SnapshotFileWritten>;
  abort(): Promise<void>;
}

export async function createSnapshotFile(
  path: string,
  options: SnapshotFileOptions = {},
): Promise<SnapshotFile> {
  const withManifest = options.manifest === true && path !== '-';
  if (withManifest && options.overwrite === false) await refuseExisting(manifestPath(path));
  const writer = await openSnapshotWriter(path, { ...options, digests: options.digests ?? withManifest });
  const tally = withManifest ? manifestTally() : undefined;
  const view = new RecordView();
  let frames = 0;

  function tallyFrame(buf: Buffer, start: number, end: number): void {
    let bodyStart = start;
    while (buf[bodyStart++] >= 0x80);
    tally?.add(view.parse(buf, start, bodyStart, end, 0, frames++));
  }

  return {
    path,
    writeRecord(record) {
      writer.writeRecord(record);
      tally?.add(record);
    },
    writeFrame(frame) {
      writer.writeFrame(frame);
      if (tally !== undefined) tallyFrame(frame, 0, frame.length);
    },
    writeFrames(buf, ends, released) {
      if (tally !== undefined)
        for (let i = 0; i < ends.length; i++) tallyFrame(buf, i === 0 ? 0 : ends[i - 1], ends[i]);
      writer.writeFrames(buf, ends.length, released);
    },
    ready: () => writer.ready(),
    async finish() {
      const written: SnapshotFileWritten = await writer.finish();
      if (tally !== undefined) {
        written.manifest = tally.finish(written, toolVersion(), options.origin);
        await writeManifest(path, written.manifest);
      }
      return written;
    },
    abort: () => writer.abort(),
  };
}
