// SPDX-License-Identifier: Apache-2.0
// Made from docs/openapi.json by `npm run types`.
export interface paths {
  readonly '/candles': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /**
     * Candles of a market, newest first
     * @description What is older than the store holds is fetched from the exchange once and kept.
     */
    readonly get: operations['getCandles'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/exchange-candles': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /**
     * The exchange's own candles, newest first
     * @description As its REST says them now, to be laid beside ours; nothing of them is kept. `state` is `closed` when a window has been over for three times `exchange.trust_ms`, `forming` before.
     */
    readonly get: operations['getExchangeCandles'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/markets': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** All markets, with their newest tickers */
    readonly get: operations['getMarkets'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/gaps': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** The spans that were not heard */
    readonly get: operations['getGaps'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/status': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** How things are */
    readonly get: operations['getStatus'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/healthz': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** Whether the process runs */
    readonly get: operations['getHealth'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/readyz': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /**
     * Whether answers are true and current
     * @description History and backfill are not waited for.
     */
    readonly get: operations['getReadiness'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/stream': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** Server-sent events */
    readonly get: operations['openStream'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/stream/{id}': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /**
     * Change what a stream follows
     * @description Without a new connection; what is added gets a snapshot.
     */
    readonly post: operations['changeStream'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/stream/ticker': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** All tickers */
    readonly get: operations['openTickerStream'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/stream/candle': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** The candles of one market */
    readonly get: operations['openCandleStream'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/sse/connect': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** The candles of one market, as the first Stofka named it */
    readonly get: operations['openFirstStream'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/openapi.json': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** This description */
    readonly get: operations['getDescription'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
}
export type webhooks = Record<string, never>;
export interface components {
  schemas: {
    /** @description An exact decimal without exponent, with up to 8 decimals (the ticker's 24-hour sums have more). Read it with a decimal parser if the last digit matters. */
    readonly Decimal: number;
    /** @description A market, such as KRW-BTC. */
    readonly Code: string;
    /**
     * @description Windows are in UTC: a day starts at 00:00 UTC (09:00 KST), a week on Monday.
     * @enum {string}
     */
    readonly Interval:
      '1s' | '1m' | '3m' | '5m' | '10m' | '15m' | '30m' | '1h' | '4h' | '1d' | '1w' | '1M';
    /**
     * @description Where data is from.
     * @enum {string}
     */
    readonly Source: 'upbit' | 'simulated' | 'replay' | 'imported';
    /**
     * @description forming until all of its window was heard or fetched; repaired: changed after it was closed; partial: closed, but a part is lost for good.
     * @enum {string}
     */
    readonly CandleState: 'forming' | 'closed' | 'repaired' | 'partial';
    /**
     * @description lost: the exchange can no longer supply it.
     * @enum {string}
     */
    readonly GapState: 'open' | 'healed' | 'lost';
    /**
     * @description stale: connected, but it has been silent for some seconds, pings unanswered. none: no exchange is meant to be heard (exchange.url none, or a recording has been played); what is kept is shown.
     * @enum {string}
     */
    readonly ExchangeState: 'live' | 'stale' | 'down' | 'none';
    /** @description One form for REST rows and for events. A window without a trade has no candle. */
    readonly Candle: {
      readonly code: components['schemas']['Code'];
      readonly interval: components['schemas']['Interval'];
      /** @description Start of the window, UTC. */
      readonly candle_date_time_utc: string;
      /** @description The same in Korean time. */
      readonly candle_date_time_kst: string;
      readonly opening_price: components['schemas']['Decimal'];
      readonly high_price: components['schemas']['Decimal'];
      readonly low_price: components['schemas']['Decimal'];
      /** @description The last price. */
      readonly trade_price: components['schemas']['Decimal'];
      /** @description Amount: the sum of price times volume, each second rounded once, half up, to 8 decimals. */
      readonly candle_acc_trade_price: components['schemas']['Decimal'];
      /** @description Volume. */
      readonly candle_acc_trade_volume: components['schemas']['Decimal'];
      /** @description When the exchange stored the newest tick of it, ms since 1970 UTC. Orders versions, never places a candle. */
      readonly timestamp: number;
      readonly state: components['schemas']['CandleState'];
      /** @description 1, and one more for each change after closing. */
      readonly rev: number;
      readonly source: components['schemas']['Source'];
    };
    /** @description The exchange's own DEFAULT ticker object, numbers without exponent, as its REST writes them, and source. The exchange may add members. */
    readonly Ticker: {
      /** @constant */
      readonly type: 'ticker';
      readonly code: components['schemas']['Code'];
      readonly opening_price: components['schemas']['Decimal'];
      readonly high_price: components['schemas']['Decimal'];
      readonly low_price: components['schemas']['Decimal'];
      readonly trade_price: components['schemas']['Decimal'];
      readonly prev_closing_price: components['schemas']['Decimal'];
      readonly acc_trade_price?: components['schemas']['Decimal'];
      /** @enum {string} */
      readonly change?: 'RISE' | 'EVEN' | 'FALL';
      readonly change_price?: components['schemas']['Decimal'];
      readonly signed_change_price: components['schemas']['Decimal'];
      readonly change_rate?: components['schemas']['Decimal'];
      readonly signed_change_rate: components['schemas']['Decimal'];
      /** @enum {string} */
      readonly ask_bid?: 'ASK' | 'BID';
      readonly trade_volume?: components['schemas']['Decimal'];
      readonly acc_trade_volume?: components['schemas']['Decimal'];
      /** @description yyyymmdd, UTC. */
      readonly trade_date?: string;
      /** @description hhmmss, UTC. */
      readonly trade_time?: string;
      /** @description ms since 1970 UTC. */
      readonly trade_timestamp?: number;
      readonly acc_ask_volume?: components['schemas']['Decimal'];
      readonly acc_bid_volume?: components['schemas']['Decimal'];
      readonly highest_52_week_price: components['schemas']['Decimal'];
      readonly highest_52_week_date: string;
      readonly lowest_52_week_price: components['schemas']['Decimal'];
      readonly lowest_52_week_date: string;
      /** @description PREVIEW, ACTIVE or DELISTED. */
      readonly market_state?: string;
      readonly is_trading_suspended?: boolean;
      /** @description Null while none is set. */
      readonly delisting_date?: string | null;
      /** @description NONE or CAUTION. */
      readonly market_warning?: string;
      /** @description When the exchange made it, ms since 1970 UTC. */
      readonly timestamp: number;
      readonly acc_trade_price_24h: components['schemas']['Decimal'];
      readonly acc_trade_volume_24h: components['schemas']['Decimal'];
      /** @enum {string} */
      readonly stream_type: 'SNAPSHOT' | 'REALTIME';
      readonly source: components['schemas']['Source'];
    };
    readonly Market: {
      readonly code: components['schemas']['Code'];
      /** @description 비트코인 */
      readonly korean_name: string;
      /** @description Bitcoin */
      readonly english_name: string;
      /** @description The step of its prices at the newest price; null while no ticker was heard. */
      readonly tick_size: number | null;
      /** @description False once the exchange has taken it off its list. */
      readonly listed: boolean;
      /** @description The newest; null while none was heard. */
      readonly ticker: components['schemas']['Ticker'] | null;
    };
    readonly Gap: {
      readonly code: components['schemas']['Code'];
      /** @description Start of the span that was not heard, UTC. */
      readonly from: string;
      /** @description Its end, exclusive; null while it grows. */
      readonly to: string | null;
      /** @description Such as disconnected, restart, unreadable. */
      readonly reason: string;
      readonly state: components['schemas']['GapState'];
    };
    readonly StatusEvent: {
      readonly exchange: components['schemas']['ExchangeState'];
      /** @description How far the newest heard is behind the exchange; null while nothing is heard. */
      readonly behind_ms: number | null;
      readonly source: components['schemas']['Source'];
      /** @description How it is, or what is wrong, in words. */
      readonly text: string;
    };
    readonly Status: {
      /** @description Of the program. */
      readonly version: string;
      readonly source: components['schemas']['Source'];
      readonly exchange: {
        readonly state: components['schemas']['ExchangeState'];
        /** @description What is listened to. */
        readonly url: string;
        /** @description How it is, or what is wrong, in words. */
        readonly text: string;
      };
      /** @description As in the status event. */
      readonly behind_ms: number | null;
      /** @description The exchange's clock. */
      readonly exchange_time: string | null;
      /** @description All before it that was to be heard was heard. */
      readonly watermark: string | null;
      /** @description When the process started. */
      readonly started: string | null;
      /** @description Markets followed. */
      readonly markets: number;
      /** @description Gaps that are open. */
      readonly gaps_open: number;
      readonly store: {
        /** @enum {string} */
        readonly state: 'ok' | 'failing';
        /** @description Rows that are not committed yet. */
        readonly pending_rows: number;
        /** @description Why it fails. */
        readonly error: string | null;
      };
      readonly audit: {
        /** @description Candles compared with the exchange's own. */
        readonly compared: number;
        /** @description Of these, how many differed. */
        readonly different: number;
        /** @description Of these, how many where the exchange disagrees with itself. */
        readonly exchange: number;
        /** @description Of these, how many were repaired. */
        readonly repaired: number;
      };
    };
    readonly Hello: {
      /** @description The stream's id, for POST /stream/{id}. */
      readonly id: string;
      /** @description Of the data file; part of every cursor. */
      readonly epoch: string;
      readonly source: components['schemas']['Source'];
      readonly simulated: boolean;
      /** @description Of the program. */
      readonly version: string;
    };
    readonly Reset: {
      /** @description Why. */
      readonly reason: string;
      /** @description Fetch these again by REST, and go on with its cursor. */
      readonly sub: readonly components['schemas']['Subscription'][];
    };
    /** @description ticker:CODE, candle.INTERVAL:CODE or postgres-candle.INTERVAL:CODE; * for all markets. */
    readonly Subscription: string;
    readonly StreamChange: {
      readonly add?: readonly components['schemas']['Subscription'][];
      readonly remove?: readonly components['schemas']['Subscription'][];
    };
    readonly StreamSubscriptions: {
      /** @description What the stream follows now. */
      readonly sub: readonly components['schemas']['Subscription'][];
    };
    /** @description The data of each server-sent event, by the event's name. hello comes first, then a snapshot of each subscription. Every flush ends with an id, a cursor that covers all that was sent before it. candle: forming or not, newest state. postgres-candle: no longer forming, after its commit, once for each (market, interval, start, rev). */
    readonly StreamEvents: {
      readonly hello: components['schemas']['Hello'];
      readonly status: components['schemas']['StatusEvent'];
      readonly ticker: components['schemas']['Ticker'];
      readonly candle: components['schemas']['Candle'];
      readonly 'postgres-candle': components['schemas']['Candle'];
      readonly gap: components['schemas']['Gap'];
      readonly reset: components['schemas']['Reset'];
    };
    readonly Error: {
      readonly error: {
        /** @description For programs, such as invalid_parameter. */
        readonly name: string;
        /** @description For people; names the field and what is allowed. */
        readonly message: string;
      };
    };
  };
  responses: {
    /** @description A parameter is missing, unknown or out of range. */
    readonly BadRequest: {
      headers: {
        readonly [name: string]: unknown;
      };
      content: {
        readonly 'application/json': components['schemas']['Error'];
      };
    };
    /** @description The exchange does not list this market. */
    readonly UnknownMarket: {
      headers: {
        readonly [name: string]: unknown;
      };
      content: {
        readonly 'application/json': components['schemas']['Error'];
      };
    };
    /** @description Not now: a limit is reached, or the exchange's list or the store can't be read yet. */
    readonly Unavailable: {
      headers: {
        /** @description Seconds after which to come back. A browser's EventSource does not come back after a 503 by itself. */
        readonly 'Retry-After': number;
        readonly [name: string]: unknown;
      };
      content: {
        readonly 'application/json': components['schemas']['Error'];
      };
    };
  };
  parameters: never;
  requestBodies: never;
  headers: never;
  pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
  readonly getCandles: {
    readonly parameters: {
      readonly query: {
        /** @description The market. */
        readonly code: components['schemas']['Code'];
        /** @description The interval. */
        readonly interval: components['schemas']['Interval'];
        /** @description How many at most. */
        readonly count?: number;
        /** @description Only windows that start before it; ISO 8601, UTC unless it carries an offset. */
        readonly to?: string;
        /** @description closed: leave out what is forming. */
        readonly state?: 'closed';
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The candles. */
      readonly 200: {
        headers: {
          /** @description Go on from here with /stream?since=. */
          readonly 'Stofka-Cursor': string;
          /** @description true: there is nothing older. */
          readonly 'Stofka-Beginning'?: 'true';
          /** @description Candles may be repaired, so they must be revalidated. */
          readonly ETag: string;
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': readonly components['schemas']['Candle'][];
        };
      };
      /** @description As named by If-None-Match. */
      readonly 304: {
        headers: {
          readonly [name: string]: unknown;
        };
        content?: never;
      };
      readonly 400: components['responses']['BadRequest'];
      readonly 404: components['responses']['UnknownMarket'];
      readonly 503: components['responses']['Unavailable'];
    };
  };
  readonly getExchangeCandles: {
    readonly parameters: {
      readonly query: {
        /** @description The market. */
        readonly code: components['schemas']['Code'];
        /** @description The interval. */
        readonly interval: components['schemas']['Interval'];
        /** @description How many at most. */
        readonly count?: number;
        /** @description Only windows that start before it; ISO 8601, UTC unless it carries an offset. */
        readonly to?: string;
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The candles. */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': readonly components['schemas']['Candle'][];
        };
      };
      readonly 400: components['responses']['BadRequest'];
      readonly 404: components['responses']['UnknownMarket'];
      readonly 503: components['responses']['Unavailable'];
    };
  };
  readonly getMarkets: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The markets. */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': readonly components['schemas']['Market'][];
        };
      };
      readonly 400: components['responses']['BadRequest'];
      readonly 503: components['responses']['Unavailable'];
    };
  };
  readonly getGaps: {
    readonly parameters: {
      readonly query?: {
        /** @description One market only. */
        readonly code?: components['schemas']['Code'];
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The gap ledger. */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': readonly components['schemas']['Gap'][];
        };
      };
      readonly 400: components['responses']['BadRequest'];
      readonly 404: components['responses']['UnknownMarket'];
      readonly 503: components['responses']['Unavailable'];
    };
  };
  readonly getStatus: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description Version, source, freshness, store, audit. */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Status'];
        };
      };
      readonly 400: components['responses']['BadRequest'];
      readonly 503: components['responses']['Unavailable'];
    };
  };
  readonly getHealth: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description It does. */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            /** @constant */
            readonly alive: true;
          };
        };
      };
      readonly 503: components['responses']['Unavailable'];
    };
  };
  readonly getReadiness: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description They are. */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            /** @constant */
            readonly ready: true;
          };
        };
      };
      readonly 503: components['responses']['Unavailable'];
    };
  };
  readonly openStream: {
    readonly parameters: {
      readonly query?: {
        /** @description What to follow; may be repeated. */
        readonly sub?: readonly components['schemas']['Subscription'][];
        /** @description A comma list of markets; with types, shorthand for their product. */
        readonly codes?: string;
        /** @description A comma list, such as ticker,candle.1m. */
        readonly types?: string;
        /** @description A cursor: goes on from there. Where it is held no more, a reset comes. */
        readonly since?: string;
      };
      readonly header?: {
        /** @description The last id heard: goes on from there. Comes before since. */
        readonly 'Last-Event-ID'?: string;
      };
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The events. */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'text/event-stream': string;
        };
      };
      readonly 400: components['responses']['BadRequest'];
      readonly 404: components['responses']['UnknownMarket'];
      readonly 503: components['responses']['Unavailable'];
    };
  };
  readonly changeStream: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        /** @description From hello. */
        readonly id: string;
      };
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        readonly 'application/json': components['schemas']['StreamChange'];
      };
    };
    readonly responses: {
      /** @description What it follows now. */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['StreamSubscriptions'];
        };
      };
      /** @description The body or a subscription is wrong. */
      readonly 400: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Error'];
        };
      };
      /** @description There is no such stream or market. */
      readonly 404: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Error'];
        };
      };
      readonly 503: components['responses']['Unavailable'];
    };
  };
  readonly openTickerStream: {
    readonly parameters: {
      readonly query?: {
        /** @description A cursor: goes on from there. Where it is held no more, a reset comes. */
        readonly since?: string;
      };
      readonly header?: {
        /** @description The last id heard: goes on from there. Comes before since. */
        readonly 'Last-Event-ID'?: string;
      };
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The events. */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'text/event-stream': string;
        };
      };
      readonly 400: components['responses']['BadRequest'];
      readonly 404: components['responses']['UnknownMarket'];
      readonly 503: components['responses']['Unavailable'];
    };
  };
  readonly openCandleStream: {
    readonly parameters: {
      readonly query: {
        /** @description The market. */
        readonly code: components['schemas']['Code'];
        /** @description The interval. */
        readonly interval?: components['schemas']['Interval'];
        /** @description A cursor: goes on from there. Where it is held no more, a reset comes. */
        readonly since?: string;
      };
      readonly header?: {
        /** @description The last id heard: goes on from there. Comes before since. */
        readonly 'Last-Event-ID'?: string;
      };
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The events. */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'text/event-stream': string;
        };
      };
      readonly 400: components['responses']['BadRequest'];
      readonly 404: components['responses']['UnknownMarket'];
      readonly 503: components['responses']['Unavailable'];
    };
  };
  readonly openFirstStream: {
    readonly parameters: {
      readonly query: {
        /** @description The market. */
        readonly code: components['schemas']['Code'];
        /** @description A cursor: goes on from there. Where it is held no more, a reset comes. */
        readonly since?: string;
      };
      readonly header?: {
        /** @description The last id heard: goes on from there. Comes before since. */
        readonly 'Last-Event-ID'?: string;
      };
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The events. */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'text/event-stream': string;
        };
      };
      readonly 400: components['responses']['BadRequest'];
      readonly 404: components['responses']['UnknownMarket'];
      readonly 503: components['responses']['Unavailable'];
    };
  };
  readonly getDescription: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description OpenAPI 3.1. */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': Record<string, never>;
        };
      };
    };
  };
}
