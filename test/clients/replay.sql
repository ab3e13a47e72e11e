-- Sends the recorded requests as they came, one transaction a request, through
-- track_request() and track_requests(): table clients.came, a row for each hit.
-- clients.request (line, j) holds the files' lines; site 1 is there.
-- Every device has an address of its own; server-side trackers are trusted.

CREATE TABLE clients.came (line integer, part integer, device text, flow text, request integer, query text, t pk_tracking.tracked, conversion jsonb);

CREATE PROCEDURE clients.replay() LANGUAGE plpgsql AS $$
DECLARE
	r record;
	h jsonb;
	results pk_tracking.tracked[];
BEGIN
	FOR r IN
		SELECT q.line, q.j, split_part(q.j ->> 'client', '/', 1) AS device, split_part(q.j ->> 'client', '/', 2) AS flow,
			row_number() OVER (PARTITION BY q.j ->> 'client' ORDER BY q.j ->> 'at', q.line) AS request,
			dense_rank() OVER (ORDER BY split_part(q.j ->> 'client', '/', 1)) AS device_number
		FROM clients.request q
		ORDER BY (q.j ->> 'at')::timestamptz, q.line
	LOOP
		h := coalesce(nullif(r.j -> 'client_hints', 'null'), '{}') || jsonb_strip_nulls(jsonb_build_object('cookie', r.j -> 'cookie', 'referer', r.j -> 'referer', 'dnt', r.j -> 'dnt', 'sec-gpc', r.j -> 'gpc'));
		IF r.j ->> 'body' LIKE '{"requests":%' THEN
			results := ARRAY(SELECT t FROM pk_tracking.track_requests((r.j ->> 'body')::jsonb, format(CASE WHEN r.device_number % 2 = 0 THEN '2001:db8:%s::7' ELSE '203.0.%s.7' END, r.device_number)::inet,
				r.j ->> 'user_agent', r.j ->> 'accept_language', (r.j ->> 'at')::timestamptz, h, r.flow = '') t);
			INSERT INTO clients.came SELECT r.line, o, r.device, r.flow, r.request, NULL, results[o] FROM generate_subscripts(results, 1) o;
		ELSE
			INSERT INTO clients.came
			SELECT r.line, 1, r.device, r.flow, r.request, r.j ->> 'query',
				pk_tracking.track_request(r.j ->> 'query', format(CASE WHEN r.device_number % 2 = 0 THEN '2001:db8:%s::7' ELSE '203.0.%s.7' END, r.device_number)::inet,
					r.j ->> 'user_agent', r.j ->> 'accept_language', (r.j ->> 'at')::timestamptz, h, r.flow = '');
			-- as it stands now: an order will take the cart's row over
			UPDATE clients.came c SET conversion = (SELECT to_jsonb(k) FROM pk_tracking.log_conversion k
				WHERE k.idvisit = (c.t).idvisit AND k.idgoal = CASE WHEN c.query !~ '(^|&)idgoal=0(&|$)' THEN substring(c.query FROM '(?:^|&)idgoal=([0-9]+)')::integer WHEN c.query ~ '&ec_id=' THEN 0 ELSE -1 END)
			WHERE c.line = r.line AND (c.t).outcome = 'recorded' AND c.query ~ '(^|&)idgoal=';
		END IF;
		COMMIT;
	END LOOP;
END
$$;
CALL clients.replay();

-- What each became: the kind, where it went, and what its row says.
CREATE VIEW clients.became AS
	SELECT c.line, c.part, c.device, coalesce(nullif(c.flow, ''), c.device) AS client, c.request, (c.t).outcome, (c.t).outcome_reason, (c.t).idvisit, (c.t).new_visit, (c.t).reason, (c.t).matched_by, (c.t).idvisitor,
		coalesce(a.kind, CASE WHEN (c.t).outcome <> 'recorded' THEN 'none' WHEN k.idgoal > 0 THEN 'goal' WHEN k.idgoal = 0 THEN 'order' WHEN k.idgoal = -1 THEN 'cart' WHEN c.query ~ '(^|&)ping=' THEN 'heartbeat' ELSE 'none' END) AS kind,
		CASE WHEN k.idgoal IS NULL THEN jsonb_strip_nulls(to_jsonb(a) - '{idlink_va,idvisit,idsite,idvisitor,server_time,consent,matched_by,decision,kind,time_spent,time_spent_ref_action,previous_url,previous_title,custom_dimensions,custom_variables,idpageview}'::text[])
				|| jsonb_strip_nulls(jsonb_build_object('dimensions', a.custom_dimensions, 'variables', a.custom_variables, 'pv_id', nullif(a.idpageview, '')))
			ELSE jsonb_strip_nulls(jsonb_build_object('idgoal', k.idgoal, 'idorder', k.idorder, 'revenue', k.revenue, 'subtotal', k.revenue_subtotal, 'tax', k.revenue_tax, 'shipping', k.revenue_shipping, 'discount', k.revenue_discount, 'items', k.items)) END AS says,
		-- the ids that the request itself brought
		substring(c.query FROM '(?:^|&)_id=([0-9a-f]{16})') AS cookie_id, c.query IS NULL OR c.query ~ '(^|&)uid=' AS has_user
	FROM clients.came c
		LEFT JOIN pk_tracking.action a ON a.idvisit = (c.t).idvisit AND a.idlink_va = (c.t).idlink_va
		LEFT JOIN LATERAL jsonb_populate_record(NULL::pk_tracking.log_conversion, c.conversion) k ON c.conversion IS NOT NULL;
