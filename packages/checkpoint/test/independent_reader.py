"""Reads stored checkpoints by FORMAT.md alone; shares no code with the project.

independent_reader.py bank JOB_FOLDER    totals of each checkpoint of the bank, a JSON object a line
independent_reader.py units PART_FILE    units and frames of a part, a JSON object a line
"""
import base64, hashlib, json, os, re, struct, sys, zlib

ARRAYS = ['Int8', 'Uint8', 'Uint8Clamped', 'Int16', 'Uint16', 'Int32', 'Uint32', 'Float32', 'Float64', 'BigInt64', 'BigUint64']
ITEMS = 'bBBhHiIfdqQ'


def need(good, what):
    if not good:
        raise ValueError(what)


class Values:
    """Decodes one value. What JSON has no word for becomes {'$type': name, 'value': …}."""

    def __init__(self, data):
        self.data, self.at, self.records, self.shared = data, 0, {}, {}

    def whole(self):
        value = self.value()
        need(self.at == len(self.data), 'bytes after a value')
        return value

    def take(self, count):
        need(self.at + count <= len(self.data), 'a value is cut short')
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, form):
        return struct.unpack('>' + form, self.take(struct.calcsize(form)))[0]

    def many(self, count):
        return [self.value() for _ in range(count)]

    def map(self, count):
        return {'$type': 'Map', 'value': [[self.value(), self.value()] for _ in range(count)]}

    def text(self, count):
        return self.take(count).decode('utf-8')

    def value(self):
        token = self.number('B')
        if token < 0x40: return token
        if token < 0x80: return {name: self.value() for name in self.records[token]}
        if token < 0x90: return self.map(token & 0x0F)
        if token < 0xA0: return self.many(token & 0x0F)
        if token < 0xC0: return self.text(token & 0x1F)
        if token >= 0xE0: return token - 0x100
        if token in (0xC0, 0xC2, 0xC3): return {0xC0: None, 0xC2: False, 0xC3: True}[token]
        if token in (0xC4, 0xC5, 0xC6): return list(self.take(self.number('BHI'[token - 0xC4])))
        if token in (0xC7, 0xC8, 0xC9): return self.extension(self.number('BHI'[token - 0xC7]))
        if token == 0xCB:
            number = self.number('d')
            return number if abs(number) < float('inf') else {'$type': 'number', 'value': str(number)}
        if token in (0xCC, 0xCD, 0xCE): return self.number('BHI'[token - 0xCC])
        if token in (0xD0, 0xD1, 0xD2): return self.number('bhi'[token - 0xD0])
        if token in (0xCF, 0xD3): return bigint(self.number('Q' if token == 0xCF else 'q'))
        if 0xD4 <= token <= 0xD8: return self.extension(1 << (token - 0xD4))
        if token in (0xD9, 0xDA, 0xDB): return self.text(self.number('BHI'[token - 0xD9]))
        if token in (0xDC, 0xDD): return self.many(self.number('HI'[token - 0xDC]))
        if token in (0xDE, 0xDF): return self.map(self.number('HI'[token - 0xDE]))
        raise ValueError(f'unknown token {token:02x}')

    def extension(self, length):
        kind, data = self.number('B'), self.take(length)
        if kind == 0x00: return {'$type': 'undefined'}
        if kind == 0x72:
            names = self.records[data[0]] = self.value()
            return {name: self.value() for name in names}
        if kind == 0x73: return {'$type': 'Set', 'value': self.value()}
        if kind == 0x69:
            self.shared[data] = self.value()
            return self.shared[data]
        if kind == 0x70: return self.shared[data]
        if kind == 0x42: return bigint(int.from_bytes(data, 'big', signed=True))
        if kind == 0x74: return typed_array(data[0], data[1:])
        if kind == 0xFF: return {'$type': 'Date', 'value': date_ms(data)}
        raise ValueError(f'unknown extension {kind:02x}')


def bigint(number):
    return {'$type': 'bigint', 'value': str(number)}


def typed_array(code, data):
    if code >= 16: return {'$type': {16: 'ArrayBuffer', 17: 'DataView'}[code], 'value': list(data)}
    item = ITEMS[code]
    return {'$type': ARRAYS[code] + 'Array', 'value': list(struct.unpack(f'<{len(data) // struct.calcsize(item)}{item}', data))}


def date_ms(data):
    if len(data) == 4: return struct.unpack('>I', data)[0] * 1000
    if len(data) == 8:
        both = struct.unpack('>Q', data)[0]
        return (both & (1 << 34) - 1) * 1000 + (both >> 34) // 1_000_000
    if len(data) == 12:
        nanoseconds, seconds = struct.unpack('>Iq', data)
        return seconds * 1000 + nanoseconds // 1_000_000
    return None


def sealed_json(path):
    """A record or a boundary, and the sha256 of its bytes."""
    data = open(path, 'rb').read()
    text, trailer = data[:-66], data[-66:]
    need(trailer == b'\n' + hashlib.sha256(text).hexdigest().encode() + b'\n', f'{path}: the sha256 does not fit')
    return json.loads(text), hashlib.sha256(data).hexdigest()


def file_bytes(job_folder, ref):
    inline = 'inline' in ref
    data = base64.b64decode(ref['inline']) if inline else open(os.path.join(job_folder, ref['path']), 'rb').read()
    need(len(data) == ref['length'] and hashlib.sha256(data).hexdigest() == ref['sha256'], 'a file is damaged')
    return data


def block(data, at):
    """Payload of the block at this byte, its codec, and where it ends."""
    stored, crc, length, codec = struct.unpack_from('<IIII', data, at)
    body = data[at + 16:at + 16 + stored]
    need(len(body) == stored and zlib.crc32(body) == crc, f'the block at byte {at} is damaged')
    need(codec in (0, 1), f'codec {codec}: not read here')
    payload = zlib.decompress(body, 31) if codec == 1 else body
    need(len(payload) == length, f'the block at byte {at} has another length')
    return payload, codec, at + 16 + stored


def entries(data):
    """The cut that a file builds on; kind, head and body of each of its entries."""
    if data[:8] == b'TMPART01': return 0, list(entries_of_format_1(data))
    need(data[:8] == b'TMPART02' and data[-8:] == b'TMPARTIX', 'no whole part')
    index_at = struct.unpack_from('<Q', data, len(data) - 16)[0]
    index, codec, end = block(data, index_at)
    need(codec == 0 and end == len(data) - 16, 'the index is not at the end')
    cut, base, lines = Values(index).whole()
    found, at = [], 8
    for offset, stored, length, codec, count, holds in lines:
        need(offset == at, 'the index leaves a gap')
        payload, own_codec, at = block(data, at)
        need((at - offset - 16, len(payload), own_codec) == (stored, length, codec), 'the index and a block differ')
        inside, before = 0, len(found)
        while inside < length:
            kind, head, body = struct.unpack_from('<BII', payload, inside)
            begin = inside + 9
            inside = begin + head + body
            need(inside <= length, 'an entry crosses its block')
            of = Values(payload[begin:begin + head]).whole()
            value = None if kind == 5 else Values(payload[begin + head:inside]).whole()
            count -= 1
            if kind in (2, 3, 4): value = frame(of, value)
            if kind == 7: found += [(1, [of[0], key, '', None] if of[1] is None else [*of, key], row) for key, row in zip(*value, strict=True)]
            else: found.append((kind, of, value))
        need(count == 0, 'the index counts other entries')
        need({(head[0], head[2]) for kind, head, _ in found[before:] if kind in (1, 5, 6)} == {tuple(held) for held in holds}, 'the index names other units')
    need(at == index_at, 'something lies before the index')
    return base, found


def column(data, count):
    """The items of a column."""
    kind = data[0]
    if kind in ('integers', 'numbers'): items = data[1]['value']
    elif kind == 'texts': items = [data[2][index] for index in data[1]['value']]
    elif kind == 'values': items = data[1]
    elif kind == 'same': items = [data[1]] * count
    elif kind == 'records': items = [dict(zip(data[1], row, strict=True)) for row in rows_of(data[2], count)]
    elif kind == 'tuples': items = [list(row) for row in rows_of(data[1], count)]
    else: raise ValueError(f'unknown column {kind}')
    need(len(items) == count, 'a column has another length')
    return items


def rows_of(columns, count):
    return zip(*(column(each, count) for each in columns)) if columns else [()] * count


def frame(head, body):
    """A frame's body; that of codec `grouped` as that of `messages`."""
    if head[0] != 'grouped': return body
    groups, order, extras = body[:3]
    order = [0] * head[1] if order is None else order['value']
    need(len(order) == head[1], 'a frame has another count')
    waiting = []
    for number, (kind, handler, keys, args) in enumerate(groups):
        count = order.count(number)
        waiting.append(iter([[kind, key, handler, each] for key, each in zip(column(keys, count), column(args, count))]))
    messages = [next(waiting[number]) for number in order]
    at, more = extras or ({'value': []}, ['values', []])
    for index, extra in zip(at['value'], column(more, len(at['value'])), strict=True):
        messages[index] += list((extra['reply'] or {}).values()) + ([extra['requestId']] if 'requestId' in extra else [])
    return messages


def entries_of_format_1(data):
    at = 8
    while at < len(data):
        length, crc = struct.unpack_from('<II', data, at)
        payload = data[at + 8:at + 8 + length]
        need(len(payload) == length and zlib.crc32(payload) == crc, f'the block at byte {at} is damaged')
        at, inside = at + 8 + length, 0
        while inside < length:
            kind, head, body = struct.unpack_from('<BII', payload, inside)
            begin = inside + 9
            inside = begin + head + body
            need(inside <= length and kind < 5, 'no entry of format 1')
            yield kind, Values(payload[begin:begin + head]).whole(), Values(payload[begin + head:inside]).whole()


def part(job_folder, files):
    """Units and motion of a part: its files put together, the full one first."""
    units, motion, below = {}, [], 0
    for ref in files:
        base, found = entries(file_bytes(job_folder, ref))
        need(base == below, 'a file builds on another than the one before it')
        below = ref['cut']
        for head in (head for kind, head, _ in found if kind == 5):
            gone = [key for key in units if list(key[:2]) == head[:2] and (head[3] is None or list(key) == head)]
            for key in gone: del units[key]
        units.update({tuple(head): body for kind, head, body in found if kind == 1})
        motion = [(kind, body) for kind, _, body in found if kind in (2, 3, 4)]
        passing = {tuple(head): body for kind, head, body in found if kind == 6}
    return {**units, **passing}, motion


def bank(job_folder):
    log = os.path.join(job_folder, 'log')
    before = None
    for name in sorted(name for name in os.listdir(log) if re.fullmatch(r'\d{20}', name)):
        record, own_hash = sealed_json(os.path.join(log, name))
        need(record['format'] in (1, 2, 3) and record['position'] == int(name), f'{name}: another record')
        need(before is None or record['previous'] == before, f'{name}: the chain is broken')
        before = own_hash
        if record['kind'] != 'checkpoint': continue
        states, moving, accounts, files = [], 0, 0, 0
        for each in record['parts']:
            own = each['files'] if record['format'] > 1 else [{**each, 'cut': record['cut']}]
            units, motion = part(job_folder, own)
            states.append(sum(body['balance'] for body in units.values()))
            accounts += len(units)
            moving += sum(message[3][0] for _, body in motion for message in body if message[2] == 'receive')
            files = max(files, len(own))
        total = sum(states) + moving
        line = {'position': record['position'], 'states': states, 'motion': moving, 'total': total, 'accounts': accounts}
        print(json.dumps({**line, 'files': files}))


def units(path):
    for kind, head, body in entries(open(path, 'rb').read())[1]:
        print(json.dumps({'kind': kind, 'head': head, 'body': body}))


if __name__ == '__main__':
    {'bank': bank, 'units': units}[sys.argv[1]](sys.argv[2])
