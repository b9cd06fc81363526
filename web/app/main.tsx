// SPDX-License-Identifier: Apache-2.0
import { createRoot } from 'react-dom/client';
import '../ui/theme.css';
import { Live } from '../api/live';
import { Board } from '../chart/board';
import { App } from './app';
import { debugOf } from './debug';

const live = new Live();

// Data first: requests are under way before React draws.
live.start();
const board = new Board(live);

Object.defineProperty(window, '__stofka', { value: debugOf(live, board) });

const root = document.getElementById('root');
if (root) createRoot(root).render(<App live={live} board={board} />);
