-- What the reports' own arguments are given in tests and in the bench, where they
-- have no default: creates report_given (report, argument, value: SQL).  psql's
-- variables: page, a URL; visitor, an id; dimension, the number of one of actions;
-- steps of a funnel.
\if :{?page}
\else
\set page 'https://a.example/p1'
\endif
\if :{?visitor}
\else
\set visitor 0000000000000011
\endif
\if :{?dimension}
\else
\set dimension 1
\endif
\if :{?steps}
\else
\set steps '{pageUrl=@a.example,eventCategory==a}'
\endif
CREATE TEMP TABLE report_given AS SELECT * FROM (VALUES
	('report_action_dimension', 'dimension', :'dimension'),
	('report_action_dimension_urls', 'dimension', :'dimension'),
	('report_by', 'dimension', quote_literal('countryCode')),
	('report_evolution', 'report', quote_literal('report_pages')),
	('report_evolution', 'labels', format('ARRAY[%L]', :'page')),
	('report_funnel', 'steps', quote_literal(:'steps')),
	('report_goals_by', 'dimension', quote_literal('referrerType')),
	('report_transitions', 'url', quote_literal(:'page')),
	('report_visitor', 'visitor_id', quote_literal(:'visitor'))) AS given(report, argument, value);
