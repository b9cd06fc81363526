# SPDX-License-Identifier: Apache-2.0
"""Every kind of answer and event of the real program is what docs/openapi.json says."""
import collections
import decimal
import http.client
import json
import os
import urllib.parse

import jsonschema
import pytest

from program import ROOT, Program, Stream, get, get_json, until

with open(os.path.join(ROOT, 'docs', 'openapi.json'), encoding='utf-8') as f:
    DESCRIPTION = json.load(f)
SCHEMAS = DESCRIPTION['components']['schemas']
RESPONSES = DESCRIPTION['components']['responses']
STREAMS = ('/stream', '/stream/ticker', '/stream/candle', '/sse/connect')
PATIENCE = 60


def exact(text):
    assert 'e' not in text.lower(), '%s has an exponent' % text
    return decimal.Decimal(text)


def read(text):
    """JSON whose numbers keep their digits."""
    return json.loads(text, parse_float=exact)


def validator(schema):
    return jsonschema.Draft202012Validator({**schema, 'components': DESCRIPTION['components']})


EVENTS = {name: validator(schema) for name, schema in SCHEMAS['StreamEvents']['properties'].items()}


def described(method, path, status):
    """The description of this answer, or an error: what is not described must not be said."""
    answers = DESCRIPTION['paths'][path][method]['responses']
    assert str(status) in answers, '%s %s answers %d' % (method, path, status)
    answer = answers[str(status)]
    return RESPONSES[answer['$ref'].rsplit('/', 1)[1]] if '$ref' in answer else answer


def check_answer(method, path, answer):
    """status, headers and body are as described."""
    status, headers, body = answer
    known = described(method, path, status)
    for name, header in known.get('headers', {}).items():
        if header.get('required'):
            assert headers[name], '%s lacks %s' % (path, name)
        if headers[name]:
            value = headers[name]
            validator(header['schema']).validate(int(value) if header['schema']['type'] == 'integer' else value)
    if 'content' not in known:
        assert body == b''
        return
    (kind, content), = known['content'].items()
    assert headers['Content-Type'] == kind + '; charset=utf-8'
    if kind == 'application/json':
        validator(content['schema']).validate(read(body))


@pytest.fixture(scope='module')
def pair(tmp_path_factory):
    """(page's address, simulator's address) of a market with many faults."""
    sim = Program('stofka-sim', '--port', '0', '--codes-count', '12', '--history', '3', '--fault-mix',
                  'drop,duplicate,reorder,late,resend,garbage', '--fault-every', '3', '--every-second')
    stofka = None
    try:
        exchange = sim.wait('sim.listening')['url']
        stofka = Program('stofka', 'run', '--exchange', exchange, '--data', tmp_path_factory.mktemp('data'),
                         '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0')
        url = stofka.wait('serve.listening')['url']
        until(lambda: get(url + '/readyz')[0] == 200)
        yield url, exchange
    finally:
        for one in filter(None, (stofka, sim)):
            one.kill()


def test_the_description_is_sound_and_served_as_it_is_written(pair):
    for name, schema in SCHEMAS.items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema.get('description') or schema.get('properties'), name
    status, headers, body = get(pair[0] + '/openapi.json')
    assert (status, headers['Content-Type']) == (200, 'application/json; charset=utf-8')
    assert json.loads(body) == DESCRIPTION
    assert DESCRIPTION['info']['version'] == get_json(pair[0] + '/status')['version']


def test_every_reference_of_the_description_leads_somewhere():
    def walk(node):
        if isinstance(node, dict):
            yield from [node['$ref']] if isinstance(node.get('$ref'), str) else []
            node = list(node.values())
        for child in node if isinstance(node, list) else []:
            yield from walk(child)

    found = set(walk(DESCRIPTION))
    assert len(found) > 10
    for reference in found:
        _, top, kind, name = reference.split('/')
        assert name in DESCRIPTION[top][kind], reference
    used = {reference.rsplit('/', 1)[1] for reference in found}
    assert set(SCHEMAS) - used == {'StreamEvents'}


@pytest.mark.parametrize('path, query, status', [
    ('/candles', 'code=KRW-BTC&interval=1s&count=1000', 200),
    ('/candles', 'code=KRW-BTC&interval=1m&count=5&state=closed', 200),
    ('/candles', 'code=KRW-BTC&interval=1m&to=2001-01-01T00:00:00', 200),
    ('/candles', 'code=KRW-BTC&interval=2m', 400),
    ('/candles', 'code=KRW-BTC&interval=1m&count=1001', 400),
    ('/candles', 'code=KRW-BTC&interval=1m&state=open', 400),
    ('/candles', 'code=KRW-NONE&interval=1m', 404),
    ('/markets', '', 200), ('/markets', 'x=1', 400),
    ('/gaps', '', 200), ('/gaps', 'code=KRW-BTC', 200), ('/gaps', 'code=btc', 400), ('/gaps', 'code=KRW-NONE', 404),
    ('/status', '', 200), ('/status', 'x=1', 400),
    ('/healthz', '', 200), ('/readyz', '', 200),
    ('/openapi.json', '', 200),
    ('/stream', 'sub=candle.2m:KRW-BTC', 400), ('/stream', 'sub=ticker:KRW-NONE', 404),
    ('/stream/ticker', 'x=1', 400),
    ('/stream/candle', '', 400), ('/stream/candle', 'code=KRW-NONE', 404),
    ('/sse/connect', '', 400), ('/sse/connect', 'code=KRW-NONE', 404),
])
def test_answers(pair, path, query, status):
    answer = until(lambda: get('%s%s?%s' % (pair[0], path, query)))
    if path == '/readyz':  # a fault may be under way
        answer = until(lambda: get(pair[0] + path)[0] == 200 and get(pair[0] + path))
    assert answer[0] == status
    check_answer('get', path, answer)


def test_every_interval(pair):
    for interval in SCHEMAS['Interval']['enum']:
        answer = get('%s/candles?code=KRW-XRP&interval=%s&count=300' % (pair[0], interval))
        assert answer[0] == 200 and len(answer[2]) > 2
        check_answer('get', '/candles', answer)


def test_an_answer_that_is_known_already(pair):
    url = pair[0] + '/candles?code=KRW-BTC&interval=1d&to=2026-01-01T00:00:00Z'
    answer = get(url, headers={'If-None-Match': get(url)[1]['ETag']})
    assert answer[0] == 304
    check_answer('get', '/candles', answer)


@pytest.mark.parametrize('path', [p for p in DESCRIPTION['paths'] if 'get' in DESCRIPTION['paths'][p]])
def test_the_program_takes_the_parameters_that_are_described_and_no_others(pair, path):
    known = [p['name'] for p in DESCRIPTION['paths'][path]['get'].get('parameters', []) if p['in'] == 'query']
    if path in ('/healthz', '/readyz', '/openapi.json'):  # they look at none
        assert known == []
        return
    status, _, body = get('%s%s?nonsense=1' % (pair[0], path))
    assert status == 400
    allowed = json.loads(body)['error']['message'].split('allowed: ')[1]
    assert sorted(known) == sorted(allowed.split(', ') if allowed != 'none' else [])


def test_before_the_exchange_is_reached(start, tmp_path):
    stofka = start('stofka', 'run', '--exchange', 'http://127.0.0.1:9', '--data', tmp_path, '--listen', '127.0.0.1:0',
                   '--admin', '127.0.0.1:0')
    url = stofka.wait('serve.listening')['url']
    for path, query in (('/readyz', ''), ('/candles', '?code=KRW-BTC&interval=1m'), ('/gaps', '?code=KRW-BTC'),
                        ('/stream', '?sub=ticker:KRW-BTC')):
        answer = get(url + path + query)
        assert answer[0] == 503, path
        check_answer('get', path, answer)
    for path in ('/status', '/markets', '/gaps'):
        answer = get(url + path)
        assert answer[0] == 200, path
        check_answer('get', path, answer)


def post(url, path, body):
    at = urllib.parse.urlsplit(url)
    line = http.client.HTTPConnection(at.hostname, at.port, timeout=PATIENCE)
    try:
        line.request('POST', path, body, {'Content-Type': 'application/json'})
        answer = line.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        line.close()


def test_changing_a_stream(pair):
    stream = Stream(pair[0], '/stream?sub=ticker:KRW-BTC')
    ident = json.loads(next(iter(stream))[1])['id']
    change = {'add': ['candle.1m:KRW-XRP', 'postgres-candle.1s:*'], 'remove': ['ticker:KRW-BTC']}
    validator(SCHEMAS['StreamChange']).validate(change)
    for body, status in ((json.dumps(change), 200), ('{"add":["candle.2m:*"]}', 400), ('[', 400),
                         ('{"add":["ticker:KRW-NONE"]}', 404)):
        answer = post(pair[0], '/stream/' + ident, body)
        assert answer[0] == status, body
        check_answer('post', '/stream/{id}', answer)
    check_answer('post', '/stream/{id}', post(pair[0], '/stream/0-0', '{}'))
    stream.close()


def test_every_event(pair):
    wanted = set(EVENTS) - {'reset'}
    subs = ['ticker:*'] + ['%scandle.%s:KRW-%s' % (kind, interval, code) for kind in ('', 'postgres-')
                           for interval in ('1s', '1m', '1d') for code in ('BTC', 'XRP')]
    stream = Stream(pair[0], '/stream?' + '&'.join('sub=' + sub for sub in subs))
    post(pair[1], '/_sim/fault?kind=drop&for=1', '')
    seen = collections.Counter()
    for event, data in stream:
        assert event in EVENTS, event
        EVENTS[event].validate(read(data))
        seen[event] += 1
        if wanted <= set(seen) and sum(seen.values()) > 500:
            break
    stream.close()
    assert wanted <= set(seen), seen


@pytest.mark.parametrize('path', ['%s?%ssince=nowhere:1' % (path, query) for path, query in zip(
    STREAMS, ('sub=candle.1s:*&', '', 'code=KRW-BTC&interval=1h&', 'code=KRW-BTC&'))])
def test_a_position_that_is_not_held(pair, path):
    stream = Stream(pair[0], path)
    for event, data in stream:
        EVENTS[event].validate(read(data))
        if event == 'reset':
            break
    stream.close()


@pytest.mark.parametrize('change', [
    {'state': 'done'}, {'interval': '2m'}, {'rev': 0}, {'rev': '1'}, {'trade_price': '1'}, {'unknown': 1},
    {'candle_date_time_utc': '2026-03-11 14:40:00'}, {'source': None},
])
def test_a_wrong_candle_would_be_found(pair, change):
    right = read(get(pair[0] + '/candles?code=KRW-BTC&interval=1m&count=1')[2])[0]
    EVENTS['candle'].validate(right)
    with pytest.raises(jsonschema.ValidationError):
        EVENTS['candle'].validate({**right, **change})
    for name in right:
        with pytest.raises(jsonschema.ValidationError):
            EVENTS['candle'].validate({key: value for key, value in right.items() if key != name})
