-- The recorded requests as hits: table clients.hit, in the order of their times.
-- clients.request (line, j) holds the files' lines already.

-- One row per tracked request: a bulk document is taken apart.
CREATE TABLE clients.hit AS
WITH single AS (
	SELECT r.line, 0::bigint AS part, r.j, coalesce(r.j ->> 'query', '') AS query
	FROM clients.request r
	WHERE NOT coalesce(r.j ->> 'body', '') LIKE '{"requests":%'
	UNION ALL
	SELECT r.line, b.ordinality, r.j, substr(b.value, strpos(b.value, '?') + 1)
	FROM clients.request r
		CROSS JOIN LATERAL jsonb_array_elements_text((r.j ->> 'body')::jsonb -> 'requests') WITH ORDINALITY b
	WHERE r.j ->> 'body' LIKE '{"requests":%'
), named AS (
	SELECT s.*,
		s.j ->> 'client' AS client,
		split_part(s.j ->> 'client', '/', 1) AS device,
		substring(s.query FROM '(?:^|&)cip=([^&]*)') AS cip,
		replace(replace(substring(s.query FROM '(?:^|&)cdt=([^&]*)'), '+', ' '), '%3A', ':') AS cdt,
		coalesce(substring(s.query FROM '(?:^|&)cdo=([0-9]+)')::integer, 0) AS cdo
	FROM single s
), addressed AS (
	SELECT n.*, dense_rank() OVER (ORDER BY n.device) AS device_number
	FROM named n
), timed AS (
	SELECT a.*,
		coalesce(a.cdt::timestamp AT TIME ZONE 'UTC' - make_interval(secs => a.cdo), (a.j ->> 'at')::timestamptz) AS at
	FROM addressed a
)
SELECT row_number() OVER (ORDER BY t.at, t.line, t.part)::integer AS n,
	t.at, t.client, t.device,
	-- what the request says itself, else an address of the device's own
	CASE WHEN t.cip IS NOT NULL THEN t.cip::inet
		WHEN t.device_number % 2 = 0 THEN format('2001:db8:%s::7', to_hex(t.device_number))::inet
		ELSE format('203.0.113.%s', t.device_number)::inet END AS ip,
	t.j ->> 'user_agent' AS user_agent,
	t.j ->> 'accept_language' AS accept_language,
	-- these need a token, which is not what this is about
	regexp_replace(t.query, '(^|&)(cip|cdt|cdo|token_auth)=[^&]*', '', 'g') AS query,
	CASE WHEN t.query ~ '(^|&)ping=' THEN 'heartbeat'
		WHEN t.query ~ '(^|&)e_c=' THEN 'event'
		WHEN t.query ~ '(^|&)search=' THEN 'site search'
		WHEN t.query ~ '(^|&)download=' THEN 'download'
		WHEN t.query ~ '(^|&)link=' THEN 'outlink'
		WHEN t.query ~ '(^|&)c_n=' THEN 'content'
		WHEN t.query ~ '(^|&)idgoal=0(&|$)' THEN CASE WHEN t.query ~ '(^|&)ec_id=' THEN 'order' ELSE 'cart' END
		WHEN t.query ~ '(^|&)idgoal=' THEN 'goal'
		ELSE 'page view' END AS kind
FROM timed t;
