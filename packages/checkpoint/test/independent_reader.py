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


def part_bytes(job_folder, part):
    inline = 'inline' in part
    data = base64.b64decode(part['inline']) if inline else open(os.path.join(job_folder, part['path']), 'rb').read()
    need(len(data) == part['length'] and hashlib.sha256(data).hexdigest() == part['sha256'], 'a part is damaged')
    return data


def entries(data):
    """Kind, head and body of each entry of a part."""
    need(data[:8] == b'TMPART01', 'no part')
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
            need(inside <= length, 'an entry crosses its block')
            yield kind, Values(payload[begin:begin + head]).whole(), Values(payload[begin + head:inside]).whole()


def bank(job_folder):
    log = os.path.join(job_folder, 'log')
    before = None
    for name in sorted(name for name in os.listdir(log) if re.fullmatch(r'\d{20}', name)):
        record, own_hash = sealed_json(os.path.join(log, name))
        need(record['format'] == 1 and record['position'] == int(name), f'{name}: another record')
        need(before is None or record['previous'] == before, f'{name}: the chain is broken')
        before = own_hash
        if record['kind'] != 'checkpoint': continue
        states, motion, accounts = [], 0, 0
        for part in record['parts']:
            own = 0
            for kind, head, body in entries(part_bytes(job_folder, part)):
                if kind == 1: own, accounts = own + body['balance'], accounts + 1
                else: motion += sum(message[3][0] for message in body if message[2] == 'receive')
            states.append(own)
        total = sum(states) + motion
        print(json.dumps({'position': record['position'], 'states': states, 'motion': motion, 'total': total, 'accounts': accounts}))


def units(path):
    for kind, head, body in entries(open(path, 'rb').read()):
        print(json.dumps({'kind': kind, 'head': head, 'body': body}))


if __name__ == '__main__':
    {'bank': bank, 'units': units}[sys.argv[1]](sys.argv[2])
