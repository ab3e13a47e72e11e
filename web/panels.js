/*
 * panels.js: the table of panels and the table of views; all reports on the page are
 * made of them.  A panel names its report, the columns that name a row and how they
 * look, the columns of numbers (the first has the bars; rows stand in the report's own order),
 * and by which dimensions of filters a click on a row narrows: column → dimension, or
 * several of which one will do.
 *
 *	labels		column → look, as label() of base.js knows it; page: an address of the website
 *	args		further arguments of the report
 *	where		a condition that is always there
 *	series		a row for each period: all rows are shown
 *	grain		passes the period of the graph ("period" of the report)
 *	narrow		the conditions that a click on a row adds, if they are no values of dimensions
 *	flow		the column, and the argument of transitions, that names a page
 *	still		has no rows of a period, so none over time
 *	ofAction	its dimensions are those of actions
 */
export const VISITS = ['nb_visits', 'nb_uniq_visitors', 'nb_actions_per_visit', 'avg_time_on_site', 'bounce_rate', 'nb_conversions'];
const HITS = ['nb_hits', 'nb_visits', 'nb_uniq_visitors'];
const PRODUCTS = ['revenue', 'orders', 'quantity', 'avg_price', 'abandoned_carts', 'nb_visits'];

const TYPE_WORDS = { 'search engine': 'search', 'social network': 'social', 'AI assistant': 'ai' };
const referrerType = value => TYPE_WORDS[value] || value;
/* reports have a word for no value */
const known = value => /^unknown$/i.test(value) ? null : value;
/* and tell which browsers have an engine */
const engine = value => known(value) && value.replace(/ \(.*/, '');
const visitorType = value => value === 'returning customer' ? 'returningCustomer' : value;

const CONTINENTS = { Africa: 'afr', Antarctica: 'ant', Asia: 'asi', Europe: 'eur', 'North America': 'amn', 'Central America': 'amc', Oceania: 'oce', 'South America': 'ams' };

/* A row for a range of numbers, such as "6-7 pages" or "30+ min", as conditions. */
function range(dimension) {
	return ({ label }) => {
		const [, from, , to, more, unit] = /^(\d+)([-–](\d+))?(\+)?\s?(\w+)/.exec(label) || [];

		if (from === undefined)
			return '';
		if (unit === 'min')			/* a length of exactly two minutes is in the row before */
			return `${dimension}>${from * 60}` + (more ? '' : `;${dimension}<=${to * 60}`);
		return more ? `${dimension}>=${from}` : to ? `${dimension}>=${from};${dimension}<=${to}` : `${dimension}==${from}`;
	};
}

/* The visits that converted a goal, ordered, or left a cart. */
const ofStatus = status => `visitEcommerceStatus==${status},visitEcommerceStatus==orderedThenAbandonedCart`;
const converted = ({ idgoal }) => idgoal === null ? 'visitConverted==1' : idgoal > 0 ? 'visitConvertedGoalId==' + idgoal : ofStatus(idgoal ? 'abandonedCart' : 'ordered');

export const PANELS = {
	pages: { labels: { url: 'page' }, columns: ['nb_hits', 'nb_visits', 'nb_uniq_visitors', 'bounce_rate', 'avg_time_on_page', 'exit_rate'], filter: { url: 'pageUrl' }, opens: 'url', flow: 'url' },
	titles: { labels: { title: '' }, columns: ['nb_hits', 'nb_visits', 'nb_uniq_visitors', 'bounce_rate', 'avg_time_on_page', 'exit_rate'], filter: { title: 'pageTitle' }, flow: 'title' },
	page_tree: { labels: { path: '' }, columns: ['nb_hits', 'nb_pages', 'nb_visits', 'bounce_rate', 'avg_time_on_page', 'exit_rate'], folders: true },
	entry_pages: { labels: { url: 'page' }, columns: ['entry_nb_visits', 'entry_nb_uniq_visitors', 'entry_nb_actions', 'entry_bounce_count', 'bounce_rate'], filter: { url: 'entryPageUrl' }, flow: 'url' },
	entry_titles: { labels: { title: '' }, columns: ['entry_nb_visits', 'entry_nb_uniq_visitors', 'entry_nb_actions', 'entry_bounce_count', 'bounce_rate'], filter: { title: 'entryPageTitle' }, flow: 'title' },
	exit_pages: { labels: { url: 'page' }, columns: ['exit_nb_visits', 'exit_nb_uniq_visitors', 'nb_visits', 'exit_rate'], filter: { url: 'exitPageUrl' }, flow: 'url' },
	exit_titles: { labels: { title: '' }, columns: ['exit_nb_visits', 'exit_nb_uniq_visitors', 'nb_visits', 'exit_rate'], filter: { title: 'exitPageTitle' }, flow: 'title' },
	performance: { labels: { first_day: 'day' }, columns: ['nb_hits_with_times', 'avg_page_load_time', 'median_page_load_time', 'p95_page_load_time', 'avg_time_server', 'avg_time_dom_processing'], series: true, grain: true },

	referrer_types: { labels: { referrer_type: 'word' }, columns: VISITS, filter: { referrer_type: 'referrerType' }, words: { referrer_type: referrerType } },
	referrers: { labels: { referrer_type: 'word', referer_name: '' }, columns: VISITS, filter: { referrer_type: 'referrerType', referer_name: 'referrerName' }, words: { referrer_type: referrerType } },
	keywords: { labels: { referer_keyword: '', referer_name: '' }, columns: VISITS, filter: { referer_keyword: 'referrerKeyword', referer_name: 'referrerName' } },
	campaigns: { labels: { referer_name: '', referer_keyword: '' }, columns: VISITS, filter: { referer_name: 'referrerName', referer_keyword: 'referrerKeyword' }, and: 'referrerType==campaign' },
	ai: { report: 'referrers', labels: { referer_name: '' }, columns: VISITS, where: 'referrerType==ai', filter: { referer_name: 'referrerName' }, and: 'referrerType==ai' },
	social: { report: 'referrers', labels: { referer_name: '' }, columns: VISITS, where: 'referrerType==social', filter: { referer_name: 'referrerName' }, and: 'referrerType==social' },
	referring_pages: { labels: { referer_url: 'url' }, columns: VISITS, filter: { referrer_type: 'referrerType', referer_url: 'referrerUrl' }, words: { referrer_type: referrerType } },

	countries: { labels: { country: 'country' }, columns: VISITS, filter: { country: 'countryCode' } },
	regions: { labels: { country: 'country', region: '' }, columns: VISITS, filter: { country: 'countryCode', region: 'regionCode' } },
	cities: { labels: { city: '', country: 'country' }, columns: VISITS, filter: { country: 'countryCode', city: 'city' } },
	languages: { labels: { language: 'language' }, columns: VISITS, filter: { language: 'languageCode' } },
	continents: { report: 'by', args: { dimension: 'continentCode' }, labels: { label: '' }, columns: VISITS, filter: { label: 'continentCode' }, words: { label: value => CONTINENTS[value] || null } },

	device_types: { labels: { device_type: '' }, columns: VISITS, filter: { device_type: 'deviceType' }, words: { device_type: known } },
	device_brands: { labels: { device_brand: '' }, columns: VISITS, filter: { device_brand: 'deviceBrand' }, words: { device_brand: known } },
	device_models: { labels: { device_brand: '', device_model: '' }, columns: VISITS, filter: { device_brand: 'deviceBrand', device_model: 'deviceModel' }, words: { device_brand: known, device_model: known } },
	browsers: { labels: { browser: '' }, columns: VISITS, filter: { browser: 'browserName' }, words: { browser: known } },
	browser_versions: { labels: { browser: '', version: '' }, columns: VISITS, filter: { browser: 'browserName', version: 'browserVersion' }, words: { browser: known } },
	systems: { labels: { os: '' }, columns: VISITS },
	system_versions: { labels: { os: '', version: '' }, columns: VISITS, filter: { os: 'operatingSystemName', version: 'operatingSystemVersion' }, words: { os: known } },
	resolutions: { report: 'by', args: { dimension: 'resolution' }, labels: { label: '' }, columns: VISITS, filter: { label: 'resolution' } },
	engines: { report: 'by', args: { dimension: 'browserEngine' }, labels: { label: '' }, columns: VISITS, filter: { label: 'browserEngine' }, words: { label: engine } },

	visitors: { labels: { visitor_type: 'word' }, args: { period: 'range' }, columns: VISITS, filter: { visitor_type: 'visitorType' }, words: { visitor_type: visitorType } },
	hours: { labels: { hour: 'hour' }, columns: VISITS, rows: 24, filter: { hour: 'visitStartServerHour' } },
	weekdays: { report: 'by', args: { dimension: 'visitEndServerDayOfWeek' }, labels: { label: '' }, columns: VISITS },
	durations: { report: 'by', args: { dimension: 'visitDuration' }, labels: { label: '' }, columns: VISITS, narrow: range('visitDuration') },
	page_counts: { report: 'by', args: { dimension: 'actions' }, labels: { label: '' }, columns: VISITS, narrow: range('actions') },
	visit_counts: { report: 'by', args: { dimension: 'visitCount' }, labels: { label: '' }, columns: VISITS, narrow: range('visitCount') },
	users: { report: 'by', args: { dimension: 'userId' }, labels: { label: '' }, columns: VISITS, filter: { label: 'userId' }, words: { label: known }, personal: true },
	cohorts: { labels: { first_day: 'day', period_number: '' }, columns: ['returning_rate', 'nb_returning', 'nb_uniq_visitors'], series: true, grain: true },

	events: { labels: { category: '', action: '', name: '' }, columns: ['nb_events', 'nb_visits', 'nb_uniq_visitors', 'sum_event_value', 'avg_event_value'], filter: { category: 'eventCategory', action: 'eventAction', name: 'eventName' } },
	downloads: { labels: { url: 'url' }, columns: HITS, filter: { url: 'downloadUrl' } },
	outlinks: { labels: { url: 'url' }, columns: HITS, filter: { url: 'outlinkUrl' } },
	searches: { labels: { keyword: '' }, columns: ['nb_hits', 'nb_visits', 'nb_uniq_visitors', 'nb_no_result'], filter: { keyword: 'siteSearchKeyword' } },
	search_categories: { labels: { category: '' }, columns: ['nb_hits', 'nb_visits', 'nb_uniq_visitors', 'nb_pages_per_search'], filter: { category: 'siteSearchCategory' } },
	searches_without_results: { labels: { keyword: '' }, columns: ['nb_no_result', 'nb_hits', 'no_result_rate', 'nb_visits'], filter: { keyword: 'siteSearchKeyword' } },
	pages_after_search: { labels: { url: 'page' }, columns: ['nb_hits_following_search', 'nb_hits', 'nb_visits'], filter: { url: 'pageUrl' }, flow: 'url' },
	titles_after_search: { labels: { title: '' }, columns: ['nb_hits_following_search', 'nb_hits', 'nb_visits'], filter: { title: 'pageTitle' }, flow: 'title' },
	contents: { labels: { content_name: '', content_piece: '' }, columns: ['nb_impressions', 'nb_interactions', 'interaction_rate', 'nb_visits'], filter: { content_name: 'contentName', content_piece: 'contentPiece' } },
	content_names: { labels: { content_name: '' }, columns: ['nb_impressions', 'nb_interactions', 'interaction_rate', 'nb_visits'], filter: { content_name: 'contentName' } },
	content_pieces: { labels: { content_piece: '' }, columns: ['nb_impressions', 'nb_interactions', 'interaction_rate', 'nb_visits'], filter: { content_piece: 'contentPiece' } },
	custom_variables: { labels: { scope: '', name: '', value: '' }, columns: ['nb_visits', 'nb_uniq_visitors', 'nb_actions'] },

	goal_summary: { labels: { name: '' }, columns: ['nb_conversions', 'nb_visits_converted', 'conversion_rate', 'revenue', 'conversion_rate_new_visit', 'conversion_rate_returning_visit'], narrow: converted },
	conversions: { labels: { idgoal: 'goal', referrer_type: 'word', referer_name: '', referer_keyword: '' }, columns: ['nb_conversions', 'nb_visits_converted', 'revenue'] },
	attribution: { labels: { idgoal: 'goal', referrer_type: 'word', referer_name: '', referer_keyword: '' }, columns: ['first_nb_conversions', 'last_nb_conversions', 'last_not_direct_nb_conversions', 'last_revenue'] },
	conversion_hours: { labels: { idgoal: 'goal', hour: 'hour' }, columns: ['nb_conversions', 'nb_visits_converted', 'revenue'] },
	days_to_conversion: { labels: { days: '' }, columns: ['nb_conversions', 'nb_conversions_percentage', 'revenue'] },
	visits_to_conversion: { labels: { visits: '' }, columns: ['nb_conversions', 'nb_conversions_percentage', 'revenue'] },
	goal_countries: { report: 'goals_by', args: { dimension: 'countryCode' }, labels: { idgoal: 'goal', label: '' }, columns: ['nb_conversions', 'nb_visits', 'conversion_rate', 'revenue'] },
	goal_devices: { report: 'goals_by', args: { dimension: 'deviceType' }, labels: { idgoal: 'goal', label: '' }, columns: ['nb_conversions', 'nb_visits', 'conversion_rate', 'revenue'] },

	orders: { labels: { first_day: 'day' }, columns: ['revenue', 'nb_conversions', 'avg_order_revenue', 'items', 'abandoned_carts', 'abandoned_revenue'], series: true, grain: true },
	products: { labels: { sku: '', name: '', category: '' }, columns: PRODUCTS, filter: { sku: ['productSku', 'productViewSku'] } },
	product_names: { labels: { name: '' }, columns: PRODUCTS, filter: { name: ['productName', 'productViewName'] } },
	product_categories: { labels: { category: '' }, columns: PRODUCTS, filter: { category: ['productCategory', 'productViewCategory'] } },

	consent: { labels: { first_day: 'day' }, columns: ['nb_visits', 'nb_visits_not_asked', 'nb_visits_granted', 'nb_visits_undecided', 'nb_visits_refused', 'anonymous_rate'], series: true, grain: true }
};

/*
 * The views, in the order of the menu.  tiles: columns of the report of the same
 * name; graph: the report whose numbers the graph shows; panels: names, or a name
 * with the columns that are enough here.
 */
const SHORT = ['nb_visits', 'bounce_rate', 'nb_conversions'];

export const VIEWS = {
	overview: { group: 'look', tiles: ['nb_visits', 'nb_uniq_visitors', 'nb_pageviews', 'nb_actions_per_visit', 'avg_time_on_site', 'bounce_rate', 'nb_conversions', 'revenue'], graph: 'visits',
		panels: [['pages', ['nb_hits', 'nb_visits', 'exit_rate']], ['referrers', SHORT], ['countries', SHORT], ['device_types', SHORT], ['goal_summary', ['nb_conversions', 'conversion_rate', 'revenue']], ['visitors', SHORT]] },
	live: { group: 'look', special: 'live', plain: true },
	sites: { group: 'look', special: 'sites' },
	reports: { group: 'look', special: 'reports', module: 'reports' },
	visitors: { group: 'who', tiles: ['nb_visits', 'nb_uniq_visitors', 'nb_users', 'nb_visits_anonymous', 'anonymous_rate', 'max_actions'], graph: 'visits', panels: ['visitors', 'hours', 'weekdays', 'durations', 'page_counts', 'visit_counts', 'users', 'cohorts'] },
	places: { group: 'who', map: true, panels: ['countries', 'regions', 'cities', 'languages', 'continents'] },
	devices: { group: 'who', panels: ['device_types', 'device_brands', 'device_models', 'browsers', 'browser_versions', 'systems', 'system_versions', 'resolutions', 'engines'] },
	consent: { group: 'who', tiles: ['nb_visits', 'nb_visits_not_asked', 'nb_visits_granted', 'nb_visits_undecided', 'nb_visits_refused', 'anonymous_rate'], graph: 'consent', stack: ['nb_visits_not_asked', 'nb_visits_granted', 'nb_visits_undecided', 'nb_visits_refused'], hint: 'consent hint', panels: ['consent'] },
	dimensions: { group: 'who', special: 'dimensions', module: 'reports' },
	log: { group: 'who', special: 'log', personal: true },
	/* reached from the visit log */
	visitor: { special: 'visitor', module: 'visitor', plain: true, personal: true },
	pages: { group: 'what', panels: ['pages', 'titles', 'page_tree', 'performance', 'entry_pages', 'exit_pages', 'entry_titles', 'exit_titles'] },
	transitions: { group: 'what', special: 'transitions', module: 'page' },
	sources: { group: 'what', panels: ['referrer_types', 'referrers', 'campaigns', 'keywords', 'ai', 'social', 'referring_pages'] },
	actions: { group: 'what', panels: ['events', 'downloads', 'outlinks', 'searches', 'search_categories', 'searches_without_results', 'pages_after_search', 'titles_after_search', 'contents', 'content_names', 'content_pieces', 'custom_variables'] },
	goals: { group: 'result', panels: ['goal_summary', 'conversions', 'attribution', 'days_to_conversion', 'visits_to_conversion', 'conversion_hours', 'goal_countries', 'goal_devices'] },
	shop: { group: 'result', tiles: ['revenue', 'nb_conversions', 'avg_order_revenue', 'items', 'abandoned_carts', 'abandoned_revenue'], graph: 'orders', panels: ['orders', 'products', 'product_names', 'product_categories'] },
	funnel: { group: 'result', special: 'funnel' },
	admin: { group: 'settings', special: 'admin', module: 'admin', plain: true, admin: true }
};
