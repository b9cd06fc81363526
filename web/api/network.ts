// SPDX-License-Identifier: Apache-2.0
import type { StreamPorts } from './live-stream';
import { changeStream } from './rest';

export const networkPorts: StreamPorts = {
  open: (url) => new EventSource(url),
  change: changeStream,
  now: () => Date.now(),
};
