// SPDX-License-Identifier: Apache-2.0
// The SharedWorker: one for all tabs of this origin and build.
import { Hub } from './hub';
import type { ToHub } from './hub-talk';
import { networkPorts } from './network';

const hub = new Hub(networkPorts);

addEventListener('connect', (event) => {
  const [port] = (event as MessageEvent).ports;
  if (!port) return;
  const { hear } = hub.connect((message) => port.postMessage(message));
  port.onmessage = ({ data }: MessageEvent<ToHub>) => hear(data);
});
