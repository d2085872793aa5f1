/** A hosting map says who hosts whom on one synchronizer; used for another one it may tell something else than topology. */
import type { HostingMap } from '../commitment/hostingMap.js';
import type { CliContext } from './context.js';

export function warnOfOtherSynchronizer(
  context: CliContext,
  hosting: HostingMap | undefined,
  synchronizer: string | undefined,
): void {
  const own = hosting?.synchronizerId;
  if (own === undefined || synchronizer === undefined || own === synchronizer) return;
  context.warn({
    code: 'HOSTING_OTHER_SYNCHRONIZER',
    message: `the hosting map is that of ${own}: on ${synchronizer} parties may be hosted elsewhere`,
  });
}
