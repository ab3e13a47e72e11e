-- The log of a site without the numbers that chance has given: for each visit, its
-- actions, conversions and items, as text.
CREATE OR REPLACE FUNCTION whole_log(site integer) RETURNS SETOF text LANGUAGE sql AS $$
	WITH v AS (
		SELECT v.*, (SELECT min(a.idpageview) FROM pk_tracking.log_link_visit_action a WHERE a.idvisit = v.idvisit) AS first_hit,
			(SELECT a.idpageview FROM pk_tracking.log_link_visit_action a WHERE a.idvisit = v.idvisit AND a.idlink_va = v.last_idlink_va) AS last_hit
		FROM pk_tracking.log_visit v WHERE v.idsite = site
	), named AS (
		-- visits that have no action are told apart by all that they have
		SELECT v.idvisit, coalesce(v.first_hit, '') AS name, v.idvisitor FROM v
	), visitors AS (
		SELECT n.idvisitor, min(n.name) || ' of ' || count(*) AS visitor FROM named n GROUP BY 1
	)
	SELECT 'visit ' || (to_jsonb(v) - '{idvisit,idvisitor,idsite,last_idlink_va}'::text[] || jsonb_build_object('visitor', w.visitor))::text
		FROM v LEFT JOIN visitors w ON w.idvisitor = v.idvisitor
	UNION ALL
	SELECT 'action ' || (to_jsonb(a) - '{idvisit,idlink_va,idvisitor,idsite}'::text[] || jsonb_build_object('visit', n.name, 'visitor', w.visitor))::text
		FROM pk_tracking.log_link_visit_action a JOIN named n USING (idvisit) LEFT JOIN visitors w ON w.idvisitor = a.idvisitor WHERE a.idsite = site
	UNION ALL
	SELECT 'conversion ' || (to_jsonb(c) - '{idvisit,idvisitor,idsite,idlink_va,buster}'::text[] || jsonb_build_object('visit', n.name,
			'hit', (SELECT a.idpageview FROM pk_tracking.log_link_visit_action a WHERE a.idvisit = c.idvisit AND a.idlink_va = c.idlink_va)))::text
		FROM pk_tracking.log_conversion c JOIN named n USING (idvisit) WHERE c.idsite = site
	UNION ALL
	SELECT 'item ' || (to_jsonb(i) - '{idvisit,idvisitor,idsite}'::text[] || jsonb_build_object('visit', n.name))::text
		FROM pk_tracking.log_conversion_item i JOIN named n USING (idvisit) WHERE i.idsite = site
$$;
-- way, rows that differ from live ones
SELECT w.name, (SELECT count(*) FROM (
		(SELECT whole_log(l.idsite) EXCEPT ALL SELECT whole_log(w.idsite)) UNION ALL (SELECT whole_log(w.idsite) EXCEPT ALL SELECT whole_log(l.idsite))) x) AS different,
	(SELECT count(*) FROM whole_log(w.idsite)) > (SELECT count(*) FROM stream) / 2 AS enough
FROM way w, way l WHERE l.name = 'live' AND w.name <> 'live' ORDER BY 1;
