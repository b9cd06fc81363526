// SPDX-License-Identifier: Apache-2.0
// A market out of a formula: any second of any day, the same at every call, nothing stored.

const NAMES = [
  ['BTC', '비트코인', 'Bitcoin', 132_458_000],
  ['ETH', '이더리움', 'Ethereum', 4_512_000],
  ['XRP', '엑스알피(리플)', 'XRP', 3_241],
  ['SOL', '솔라나', 'Solana', 198_400],
  ['DOGE', '도지코인', 'Dogecoin', 231.4],
  ['ADA', '에이다', 'Cardano', 782.1],
  ['USDT', '테더', 'Tether', 1_471],
  ['TRX', '트론', 'TRON', 421.3],
  ['LINK', '체인링크', 'Chainlink', 18_930],
  ['AVAX', '아발란체', 'Avalanche', 21_450],
  ['SUI', '수이', 'Sui', 2_911],
  ['DOT', '폴카닷', 'Polkadot', 3_980],
  ['BCH', '비트코인캐시', 'Bitcoin Cash', 801_500],
  ['ETC', '이더리움클래식', 'Ethereum Classic', 22_310],
  ['NEAR', '니어프로토콜', 'NEAR Protocol', 2_674],
  ['APT', '앱토스', 'Aptos', 4_021],
  ['HBAR', '헤데라', 'Hedera', 203.2],
  ['XLM', '스텔라루멘', 'Stellar Lumens', 372.6],
  ['SAND', '샌드박스', 'The Sandbox', 281.4],
  ['SHIB', '시바이누', 'Shiba Inu', 0.01304],
  ['PEPE', '페페', 'Pepe', 0.00754],
  ['BTT', '비트토렌트', 'BitTorrent', 0.0006012],
  ['XEC', '이캐시', 'eCash', 0.01631],
  ['ARB', '아비트럼', 'Arbitrum', 371.8],
  ['ATOM', '코스모스', 'Cosmos', 4_215],
  ['SEI', '세이', 'Sei', 244.9],
  ['STX', '스택스', 'Stacks', 561.2],
  ['IMX', '이뮤터블엑스', 'Immutable', 482.7],
  ['AAVE', '에이브', 'Aave', 261_300],
  ['ALGO', '알고랜드', 'Algorand', 221.5],
  ['MANA', '디센트럴랜드', 'Decentraland', 294.3],
  ['GRT', '더그래프', 'The Graph', 78.42],
  ['CRO', '크로노스', 'Cronos', 148.3],
  ['ZIL', '질리카', 'Zilliqa', 9.871],
  ['VET', '비체인', 'VeChain', 23.91],
  ['KAITO', '카이토', 'Kaito', 1_384],
];

const TICKS = [
  [1e6, 1000],
  [5e5, 500],
  [1e5, 100],
  [5e4, 50],
  [1e4, 10],
  [5e3, 5],
  [100, 1],
  [10, 0.1],
  [1, 0.01],
  [0.1, 0.001],
  [0.01, 0.0001],
  [0.001, 0.00001],
  [0.0001, 0.000001],
];

const LENGTHS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
const SAMPLES = 40;

function noise(seed, n) {
  let x = Math.imul(seed ^ Math.floor(n), 0x9e3779b1) ^ (Math.floor(n / 4294967296) * 7919);
  x = Math.imul(x ^ (x >>> 15), 0x85ebca77);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae3d);
  return ((x ^ (x >>> 16)) >>> 0) / 4294967296;
}

/** Smooth noise between whole multiples of `period`. */
function wave(seed, t, period) {
  const at = Math.floor(t / period);
  const part = t / period - at;
  const ease = part * part * (3 - 2 * part);
  return noise(seed, at) * (1 - ease) + noise(seed, at + 1) * ease - 0.5;
}

const WAVES = [
  [4, 0.0005],
  [19, 0.0012],
  [83, 0.0022],
  [601, 0.005],
  [3_300, 0.009],
  [21_000, 0.02],
  [160_000, 0.06],
  [1_400_000, 0.22],
  [9_000_000, 0.5],
];

export const markets = NAMES.map(([symbol, korean, english, price], index) => {
  const tick = (TICKS.find(([from]) => price >= from) ?? [0, 0.0000001])[1];
  return {
    code: `KRW-${symbol}`,
    korean,
    english,
    price,
    tick,
    seed: 0x51f15e + index * 7919,
    // Skewed turnover, as on a real exchange; the tail has many seconds without a trade.
    turnover: 9e11 / (index + 1) ** 1.4,
    busy: Math.max(0.06, 1 - index * 0.04),
    begin: symbol === 'KAITO' ? Math.floor(Date.now() / 1000) - 5400 : Date.UTC(2019, 5, 1) / 1000,
  };
});

export const byCode = new Map(markets.map((market) => [market.code, market]));

export function priceAt(market, t) {
  let log = 0;
  WAVES.forEach(([period, height], n) => (log += wave(market.seed + n * 101, t, period) * height));
  return Math.max(1, Math.round((market.price * Math.exp(log)) / market.tick)) * market.tick;
}

export const decimal = (value) => value.toFixed(8);

export function windowOf(interval, t) {
  if (interval === '1M') {
    const date = new Date(t * 1000);
    const month = (n) => Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + n, 1) / 1000;
    return [month(0), month(1)];
  }
  const length = Number(interval.slice(0, -1)) * LENGTHS[interval.slice(-1)];
  const origin = interval === '1w' ? 345_600 : 0;
  const start = Math.floor((t - origin) / length) * length + origin;
  return [start, start + length];
}

/** The candle of the window that holds `t`, as known at `now` (both seconds); null without trade. */
export function candleAt(market, interval, t, now) {
  const [start, end] = windowOf(interval, t);
  if (start < market.begin || start > now) return null;
  if (interval === '1s' && noise(market.seed + 5, start) > market.busy) return null;
  const last = Math.min(end - 0.001, now);
  const step = (end - start) / SAMPLES;
  const prices = [];
  for (let at = start; at <= last; at += step) prices.push(priceAt(market, at));
  prices.push(priceAt(market, last));
  const mood =
    0.25 + 1.5 * noise(market.seed + 9, start) ** 3 + Math.abs(wave(market.seed, start, 40));
  const amount = ((market.turnover * (last - start)) / 86_400) * mood;
  const volume = amount / prices[0];
  const utc = new Date(start * 1000).toISOString().slice(0, 19);
  const kst = new Date((start + 32_400) * 1000).toISOString().slice(0, 19);
  const number = decimal;
  const state = now >= end + 1 ? 'closed' : 'forming';
  return (
    `{"code":"${market.code}","interval":"${interval}","candle_date_time_utc":"${utc}",` +
    `"candle_date_time_kst":"${kst}","opening_price":${number(prices[0])},` +
    `"high_price":${number(Math.max(...prices))},"low_price":${number(Math.min(...prices))},` +
    `"trade_price":${number(prices.at(-1))},"candle_acc_trade_price":${number(amount)},` +
    `"candle_acc_trade_volume":${number(volume)},"timestamp":${Math.floor(last * 1000)},` +
    `"state":"${state}","rev":1,"source":"simulated"}`
  );
}

export function tickerAt(market, now, type) {
  const price = priceAt(market, now);
  const [day] = windowOf('1d', now);
  const before = priceAt(market, day);
  const seen = Array.from({ length: 50 }, (_, n) => priceAt(market, day + ((now - day) * n) / 50));
  const year = Array.from({ length: 52 }, (_, n) => priceAt(market, now - n * 604_800));
  const change = price - before;
  const rate = (change / before).toFixed(10);
  const amount = market.turnover * (0.9 + 0.2 * noise(market.seed, Math.floor(now / 60)));
  return (
    `{"type":"ticker","code":"${market.code}","opening_price":${decimal(before)},` +
    `"high_price":${decimal(Math.max(price, ...seen))},` +
    `"low_price":${decimal(Math.min(price, ...seen))},"trade_price":${decimal(price)},` +
    `"prev_closing_price":${decimal(before)},"signed_change_price":${decimal(change)},` +
    `"signed_change_rate":${rate},"highest_52_week_price":${decimal(Math.max(...year))},` +
    `"highest_52_week_date":"2026-08-14","lowest_52_week_price":${decimal(Math.min(...year))},` +
    `"lowest_52_week_date":"2026-02-06","timestamp":${Math.floor(now * 1000)},` +
    `"acc_trade_price_24h":${amount.toFixed(6)},"acc_trade_volume_24h":${decimal(amount / price)},` +
    `"stream_type":"${type}","source":"simulated"}`
  );
}
