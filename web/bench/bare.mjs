// SPDX-License-Identifier: Apache-2.0
// The library's bare demo: the same bars from the same server, two panes, one update a message,
// nothing else. ?server=URL&code=…&interval=…&bars=N&width=…&height=…&font=…
import {
  CandlestickSeries,
  createChart,
  HistogramSeries,
} from '/lightweight-charts.standalone.production.mjs';

const given = new URLSearchParams(location.search);
const [server, code, interval] = ['server', 'code', 'interval'].map((name) => given.get(name));
const wanted = Number(given.get('bars'));
const PAGE = 1000;

const element = document.getElementById('chart');
element.style.width = `${given.get('width')}px`;
element.style.height = `${given.get('height')}px`;
const chart = createChart(element, {
  autoSize: true,
  layout: {
    background: { color: '#0d1117' },
    textColor: '#97a3b4',
    fontSize: 11,
    fontFamily: given.get('font'),
  },
  grid: { vertLines: { color: '#151b24' }, horzLines: { color: '#151b24' } },
  timeScale: {
    rightOffset: 6,
    barSpacing: 8,
    minBarSpacing: 1,
    timeVisible: true,
    secondsVisible: true,
  },
});
const candles = chart.addSeries(CandlestickSeries, { upColor: '#f95c6e', downColor: '#4a8cff' });
const volumes = chart.addSeries(HistogramSeries, { priceLineVisible: false }, 1);
chart.panes()[0].setStretchFactor(4);

const candleOf = (row) => ({
  time: Date.parse(`${row.candle_date_time_utc}Z`) / 1000,
  open: row.opening_price,
  high: row.high_price,
  low: row.low_price,
  close: row.trade_price,
});
const volumeOf = (row) => ({
  time: Date.parse(`${row.candle_date_time_utc}Z`) / 1000,
  value: row.candle_acc_trade_volume,
  color: row.trade_price >= row.opening_price ? '#f95c6e80' : '#4a8cff80',
});

async function history() {
  let rows = [];
  let cursor = null;
  while (rows.length < wanted) {
    const count = Math.min(PAGE, wanted - rows.length);
    const to = rows.length > 0 ? `&to=${rows.at(-1).candle_date_time_utc}` : '';
    const answer = await fetch(
      `${server}/candles?code=${code}&interval=${interval}&count=${count}${to}`,
    );
    const page = await answer.json();
    cursor ??= answer.headers.get('stofka-cursor');
    rows = rows.concat(page);
    if (page.length < count) break;
  }
  return { rows: rows.reverse(), cursor };
}

const bare = { bars: 0, draws: 0, chart };
Object.defineProperty(window, '__bare', { value: bare });

const { rows, cursor } = await history();
candles.setData(rows.map(candleOf));
volumes.setData(rows.map(volumeOf));
bare.bars = rows.length;
bare.draws = 1;

let newest = rows.length > 0 ? candleOf(rows.at(-1)).time : 0;
let asked = false;
const since = encodeURIComponent(cursor);
const stream = new EventSource(`${server}/stream?sub=candle.${interval}:${code}&since=${since}`);
stream.addEventListener('candle', ({ data }) => {
  const row = JSON.parse(data);
  const candle = candleOf(row);
  candles.update(candle, candle.time < newest);
  volumes.update(volumeOf(row), candle.time < newest);
  newest = Math.max(newest, candle.time);
  // Counted as the page counts: frames in which something was drawn.
  if (!asked) {
    requestAnimationFrame(() => {
      asked = false;
      bare.draws += 1;
    });
  }
  asked = true;
});
