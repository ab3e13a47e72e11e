-- Masks of addresses: 1 to 4 bytes of IPv4; 64, 48, 24 or 0 bits of IPv6 are kept

-- 1. Every level, N = 0 to 4
WITH vector(ip, expected) AS (VALUES
	('0.0.0.255'::inet, '{0.0.0.255,0.0.0.0,0.0.0.0,0.0.0.0,0.0.0.0}'::inet[]),
	('0.1.1.1', '{0.1.1.1,0.1.1.0,0.1.0.0,0.0.0.0,0.0.0.0}'),
	('127.255.255.255', '{127.255.255.255,127.255.255.0,127.255.0.0,127.0.0.0,0.0.0.0}'),
	('255.255.255.255', '{255.255.255.255,255.255.255.0,255.255.0.0,255.0.0.0,0.0.0.0}'),
	('::ffff:0.0.0.255', '{::ffff:0.0.0.255,::ffff:0.0.0.0,::ffff:0.0.0.0,::ffff:0.0.0.0,::ffff:0.0.0.0}'),
	('::ffff:0.1.1.1', '{::ffff:0.1.1.1,::ffff:0.1.1.0,::ffff:0.1.0.0,::ffff:0.0.0.0,::ffff:0.0.0.0}'),
	('::ffff:127.255.255.255', '{::ffff:127.255.255.255,::ffff:127.255.255.0,::ffff:127.255.0.0,::ffff:127.0.0.0,::ffff:0.0.0.0}'),
	('::ffff:255.255.255.255', '{::ffff:255.255.255.255,::ffff:255.255.255.0,::ffff:255.255.0.0,::ffff:255.0.0.0,::ffff:0.0.0.0}'),
	('2001:db8:0:8d3:0:8a2e:70:7344', '{2001:db8:0:8d3:0:8a2e:70:7344,2001:db8:0:8d3::,2001:db8::,2001:d00::,::}'),
	('2001:6f8:900:724::2', '{2001:6f8:900:724::2,2001:6f8:900:724::,2001:6f8:900::,2001:600::,::}'))
SELECT ip, level, pk_tracking.mask_ip(ip, level) AS masked,
	pk_tracking.mask_ip(ip, level) = expected[level + 1] AS ok
FROM vector, generate_series(0, 4) AS level
ORDER BY family(ip), ip, level;

-- 2. First 12 bytes zero: like IPv4
SELECT ip, level, pk_tracking.mask_ip(ip, level) AS masked
FROM unnest('{::1,::,::102:304,::1:0:0}'::inet[]) AS ip, generate_series(0, 4) AS level
ORDER BY ip, level;

-- 3. The netmask does not matter; the result has a full one
SELECT ip, masklen(pk_tracking.mask_ip(ip, 2)) AS len, pk_tracking.mask_ip(ip, 2) AS masked
FROM unnest('{192.0.2.77/8,192.0.2.77/0,192.0.2.77/32,2001:db8:1:2:3:4:5:6/16,2001:db8:1:2:3:4:5:6/0}'::inet[]) AS ip;
SELECT pk_tracking.mask_ip('10.1.0.0/16'::cidr, 1);

-- 4. Errors carry no address
SELECT pk_tracking.mask_ip('192.0.2.77', 5);
SELECT pk_tracking.mask_ip('192.0.2.77', -1);
SELECT pk_tracking.mask_ip(NULL, 1) IS NULL AND pk_tracking.mask_ip('192.0.2.77', NULL) IS NULL AS strict;

-- 5. Against an oracle: inet & inet, on random addresses (none of 2002::/16, 6to4)
WITH address AS (
	SELECT ('0.0.0.0'::inet + (random() * 4294967295)::bigint) AS v4,
		('2000::'::inet + (random() * 9e18)::bigint)
			| ('0:0:0::'::inet + (random() * 9e18)::bigint)
			| ((lpad(to_hex((random() * 8187)::int + 4), 4, '0') || ':' || to_hex((random() * 65535)::int)
				|| ':' || to_hex((random() * 65535)::int) || ':' || to_hex((random() * 65535)::int) || '::')::inet) AS v6
	FROM generate_series(1, 2000)),
mask(level, m4, m6) AS (VALUES
	(0, '255.255.255.255'::inet, 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'::inet),
	(1, '255.255.255.0', 'ffff:ffff:ffff:ffff::'),
	(2, '255.255.0.0', 'ffff:ffff:ffff::'),
	(3, '255.0.0.0', 'ffff:ff00::'),
	(4, '0.0.0.0', '::'))
SELECT count(*), count(*) FILTER (WHERE pk_tracking.mask_ip(v4, level) <> v4 & m4) AS v4_wrong,
	count(*) FILTER (WHERE pk_tracking.mask_ip(v6, level) <> v6 & m6) AS v6_wrong
FROM address, mask;

-- 6. Reading an address: doc/internals.md, "Matomo: exclusions"
SELECT quote_literal(s) AS input, pk_tracking.parse_ip(s) AS ip
FROM unnest(ARRAY[
	'192.0.2.77', '  192.0.2.77 ', E'\t192.0.2.77\r\n', '192.0.2.77/24', '192.0.2.77:8080', '[192.0.2.77]:80', '[192.0.2.77]',
	'2001:db8::1', '[2001:db8::1]', '[2001:db8::1]:443', '2001:db8::1/64', '[2001:db8::1]/64', '2001:DB8::A', '::', '::1',
	'::ffff:192.0.2.77', '[::ffff:7f00:10]', 'ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255', '0.0.0.0', '255.255.255.255']) AS s;
SELECT quote_literal(left(s, 40)) AS not_an_address
FROM unnest(ARRAY[
	'', ' ', '/', '/24', '[]', '[', ']', '[]:80', ':80', ':', '::/', '1', '1.2', '1.2.3', '1.2.3.4.5', '1.2.3.256', '01.2.3.4',
	'0x1.2.3.4', '1.2.3.4/', '1.2.3.4/x', '1.2.3.4/1234', '1.2.3.4:', '1.2.3.4:x', '1.2.3.4:123456', '1.2.3.4 5', '1. 2.3.4',
	'[1.2.3.4', '[1.2.3.4]x', '[1.2.3.4]:', '[::1]80', '2001:db8::1::2', '2001:db8', 'g::1', 'fe80::1%eth0', '12345::',
	'1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '[2001:db8::1]:443:1', 'unknown', 'localhost', '-', '1.2.3.4,5.6.7.8', U&'\FF11.2.3.4',
	repeat('1', 100000), repeat(' ', 100000), repeat(':', 50), repeat('[', 50), '1.2.3.4' || repeat('0', 50)]) AS s
WHERE pk_tracking.parse_ip(s) IS NULL;
-- every inet is read back as it was written
SELECT count(*) FILTER (WHERE pk_tracking.parse_ip(host(ip)) IS DISTINCT FROM ip) AS wrong
FROM (SELECT ('0.0.0.0'::inet + (random() * 4294967295)::bigint) AS ip FROM generate_series(1, 500)
	UNION ALL
	SELECT '2001:db8::'::inet + (random() * 9e18)::bigint FROM generate_series(1, 500)) AS address;
