# SPDX-License-Identifier: Apache-2.0
"""Short form of `make cluster-truth`: a minute of five markets, one kill of each role and of a broker, then a
rolling restart of all roles with clients connected."""
import json
import subprocess

from program import ROOT

SECONDS = 360


def test_every_candle_is_the_truth_and_told_once_after_one_kill_of_each_part(tmp_path):
    report = tmp_path / 'truth.json'
    done = subprocess.run(['test/cluster/truth_cluster.py', '--seconds', '60', '--codes', '5', '--json',
                           str(report)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=2 * SECONDS, check=False)
    assert report.exists(), done.stdout
    result = json.loads(report.read_text())
    assert result['ok'] and done.returncode == 0, done.stdout
    assert [fault['kind'] for fault in result['faults']] == ['broker', 'collect', 'store', 'serve', 'rolling']
    assert result['revised'] and result['watched']['compared'] > 1000 and result['reconnects'] >= 1, result
    assert result['clients']['closed'] > 1000 and not result['clients']['resets'], result['clients']
    seen = result['compared']
    assert all(seen[where + ' 1s'] >= 5 * 50 for where in ('postgres', 'serve-1', 'serve-2', 'sqlite', 'twin')), seen
    assert all(seen['serve-1 ' + interval] for interval in ('1m', '1h', '1d', '1w', '1M')), seen
