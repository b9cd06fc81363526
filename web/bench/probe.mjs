// SPDX-License-Identifier: Apache-2.0
// What Chromium itself says of a page: its main thread's work, who of the scripts did it, frames.

const SAMPLE_US = 250;

export const median = (list) => {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
};

async function metrics(session) {
  const { metrics: list } = await session.send('Performance.getMetrics');
  return Object.fromEntries(list.map(({ name, value }) => [name, value]));
}

/** Milliseconds of a CPU profile spent in functions of each script, by the name of its file. */
function byScript({ nodes, samples, timeDeltas }) {
  const owner = new Map();
  for (const { id, callFrame } of nodes) {
    const { url, functionName } = callFrame;
    const file = url
      .split('/')
      .pop()
      .replace(/-[\w-]{8}\.js$/, '');
    owner.set(id, file || functionName);
  }
  const spent = {};
  samples.forEach((id, at) => {
    const name = owner.get(id);
    spent[name] = (spent[name] ?? 0) + (timeDeltas[at] ?? 0) / 1000;
  });
  return spent;
}

export async function probe(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });

  /** The main thread over `ms`, left alone: its own time a draw, and draws a second. */
  const watch = async (ms, drawsOf) => {
    const before = [await metrics(session), await page.evaluate(drawsOf)];
    await page.waitForTimeout(ms);
    const after = [await metrics(session), await page.evaluate(drawsOf)];
    const draws = after[1] - before[1];
    const busy = (after[0].TaskDuration - before[0].TaskDuration) * 1000;
    return { perTick: busy / draws, perSecond: (draws * 1000) / ms, busy: (busy * 1000) / ms };
  };

  /** Frames a second for one who asks for each. */
  const frames = (ms) =>
    page.evaluate(
      (duration) =>
        new Promise((resolve) => {
          const began = performance.now();
          let count = 0;
          const step = (now) => {
            count += 1;
            if (now - began < duration) requestAnimationFrame(step);
            else resolve((count * 1000) / (now - began));
          };
          requestAnimationFrame(step);
        }),
      ms,
    );

  /** Milliseconds a draw by script. Sampling costs time, so it is watched on its own. */
  const profile = async (ms, drawsOf) => {
    await session.send('Profiler.enable');
    await session.send('Profiler.setSamplingInterval', { interval: SAMPLE_US });
    const before = await page.evaluate(drawsOf);
    await session.send('Profiler.start');
    await page.waitForTimeout(ms);
    const { profile: taken } = await session.send('Profiler.stop');
    const draws = (await page.evaluate(drawsOf)) - before;
    const spent = Object.entries(byScript(taken)).map(([name, time]) => [name, time / draws]);
    return Object.fromEntries(spent);
  };

  const heap = async () => {
    await session.send('HeapProfiler.collectGarbage');
    return (await metrics(session)).JSHeapUsedSize / 1e6;
  };

  return { watch, frames, profile, heap };
}
