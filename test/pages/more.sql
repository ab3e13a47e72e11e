-- Beside the generated week: a shop that has all that there is, with hostile texts
-- (site "Hostile"), and one without a hit (site "Empty").
SELECT pk_tracking.add_site('<img src=x onerror="window.pwned=1">Hostile', ARRAY['https://evil.example'], 'Europe/Berlin', 'EUR') AS site \gset
SELECT pk_tracking.add_goal(:site, '<b onclick="window.pwned=1">goal</b>', 'url', 'https://evil.example/', 'contains', allow_multiple => true) \g /dev/null
SELECT pk_tracking.add_dimension(:site, '<svg onload=window.pwned=1>', 'action'), pk_tracking.add_dimension(:site, '<img src=x onerror="window.pwned=1">', 'visit') \g /dev/null
SELECT pk_tracking.add_segment(s.idsite, 'German phones', 'countryCode==de;deviceType==smartphone'), pk_tracking.add_segment(s.idsite, 'Many actions', 'actions>5') FROM pk_tracking.site s WHERE s.name = 'Shop' \g /dev/null
CREATE FUNCTION pg_temp.encoded(value text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(CASE WHEN c ~ '^[A-Za-z0-9]$' THEN c ELSE regexp_replace(upper(encode(convert_to(c, 'UTF8'), 'hex')), '(..)', '%\1', 'g') END, '' ORDER BY n)
	FROM regexp_split_to_table(value, '') WITH ORDINALITY AS x(c, n)
$$;
CREATE TEMPORARY TABLE bad AS SELECT n, text FROM unnest(ARRAY['<img src=x onerror="window.pwned=1">', '"><script>window.pwned=1</script>',
	'javascript:window.pwned=1', '{{constructor.constructor("window.pwned=1")()}}', '</textarea><svg/onload=window.pwned=1>', E'\u2028\u202e=cmd|calc']) WITH ORDINALITY AS x(text, n);
SELECT count(pk_tracking.track_request('idsite=' || :site || '&rec=1&' || (SELECT string_agg(p.key || '=' || pg_temp.encoded(p.value), '&') FROM jsonb_each_text(b.hit) p),
	('198.51.100.' || b.n)::inet, b.agent, 'en', timestamptz '2026-11-16 12:00+01' + b.n * interval '1 minute' + b.k * interval '5 s')) FROM (
	SELECT bad.n, x.k, 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0 ' || bad.text AS agent,
		jsonb_build_object('url', 'https://evil.example/' || bad.text, 'urlref', 'https://ref.example/' || bad.text, '_id', lpad(bad.n::text, 16, 'a'), 'uid', 'user ' || bad.text) || x.more AS hit
	FROM bad CROSS JOIN LATERAL (VALUES
		(1, jsonb_build_object('action_name', bad.text, 'dimension1', bad.text, 'dimension2', bad.text)),
		(2, jsonb_build_object('e_c', bad.text, 'e_a', bad.text, 'e_n', bad.text, 'e_v', 3)),
		(3, jsonb_build_object('search', bad.text, 'search_cat', bad.text, 'search_count', 0)),
		(4, jsonb_build_object('download', 'https://evil.example/' || bad.text || '.zip')),
		(5, jsonb_build_object('link', 'https://other.example/' || bad.text)),
		(6, jsonb_build_object('c_n', bad.text, 'c_p', bad.text, 'c_t', bad.text)),
		(7, jsonb_build_object('action_name', 'product', '_pks', bad.text, '_pkn', bad.text, '_pkc', bad.text, '_pkp', 9.5)),
		(8, jsonb_build_object('idgoal', 0, 'ec_id', 'o' || bad.n || bad.text, 'revenue', 20, 'ec_items', jsonb_build_array(jsonb_build_array(bad.text, bad.text, bad.text, 10, 2))::text)),
		(9, jsonb_build_object('_rcn', bad.text, '_rck', bad.text, 'action_name', 'campaign', 'url', 'https://evil.example/?utm_campaign=' || bad.text))) AS x(k, more)
	) b \g /dev/null
SELECT pk_tracking.add_site('Empty', ARRAY['https://empty.example']) \g /dev/null
