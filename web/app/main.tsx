// SPDX-License-Identifier: Apache-2.0
import { createRoot } from 'react-dom/client';
import '../ui/theme.css';
import { Live } from '../api/live';
import { ChartFeed } from '../chart/chart-feed';
import { App } from './app';
import { debugOf } from './debug';
import { readPlace } from './place';

const { code, interval } = readPlace(location.search);
const live = new Live();
const feed = new ChartFeed(live, code, interval);

// Data first: requests are under way before React draws.
live.start();
void feed.show(code, interval);

Object.defineProperty(window, '__stofka', { value: debugOf(live, feed) });

const root = document.getElementById('root');
if (root) createRoot(root).render(<App live={live} feed={feed} />);
