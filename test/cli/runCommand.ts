/** Runs one command line in this process and collects what it prints. */
import { Writable } from 'node:stream';
import { runCli } from '../../src/cli/run.js';

export interface CommandResult {
  status: number;
  stdout: string;
  stderr: string;
}

export async function runCommand(...argv: string[]): Promise<CommandResult> {
  const collect = (): { stream: Writable; text: () => string } => {
    const chunks: Buffer[] = [];
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        chunks.push(Buffer.from(chunk));
        done();
      },
    });
    return { stream, text: () => Buffer.concat(chunks).toString('utf8') };
  };
  const out = collect();
  const err = collect();
  const status = await runCli(argv, { stdout: out.stream, stderr: err.stream });
  return { status, stdout: out.text(), stderr: err.text() };
}
