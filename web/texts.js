/*
 * texts.js: every text of the page.  A translation replaces this table; {0} to {3}
 * stand for what is put in.
 */
const TEXTS = {
	'title': 'Statistics',
	'skip': 'Skip to the numbers',
	'site': 'Website', 'views': 'Views', 'menu': 'Menu', 'period': 'Period', 'all sites': 'All websites',
	'log in': 'Log in', 'log out': 'Log out', 'user': 'User name', 'password': 'Password',
	'login hint': 'Your name and password are those of your role in the database.',
	'logged in as': 'Logged in as {0}', 'public link': 'Read-only link',
	'no sites': 'Your role may read no website. Its owner runs, for you:',
	'day': 'Day', 'week': 'Week', 'month': 'Month', 'year': 'Year', 'range': 'Range', 'today': 'Today',
	'earlier': 'Earlier period', 'later': 'Later period', 'from': 'From', 'to': 'To', 'show': 'Show',
	'compare': 'Compare with', 'compare none': 'nothing', 'compare previous': 'the period before', 'compare year': 'the year before',
	'visitors': 'Visitors', 'visitors all': 'all visitors', 'visitors identified': 'identified', 'visitors anonymous': 'anonymous',
	'theme': 'Colours', 'theme auto': 'system default', 'theme light': 'light', 'theme dark': 'dark',
	'add filter': 'Add a filter', 'filters': 'Filters', 'no filter': 'All visits', 'remove filter': 'Remove the filter: {0}', 'add': 'Add',
	'what': 'What', 'how': 'How', 'value': 'Value', 'condition': '{0} {1} {2}', 'nothing': 'nothing', 'or': ' or ', 'clear': 'Remove all', 'narrow': 'Show only visits with: {0}',
	'keys': 'Keys', 'close': 'Close', 'keys help': 'Keyboard',
	'seconds': '{0} s', 'before': '{0} before: {1}', 'no value': '(not set)', 'unknown': 'unknown',
	'no answer': 'The server does not answer.', 'status': 'The server answered with status {0}.',
	'failed': 'This panel could not be shown.', 'again': 'Try again', 'loading': 'Loading …',
	'empty': 'Nothing in this period.', 'empty filter': 'Nothing in this period with these filters.', 'csv': 'CSV', 'all columns': 'All columns', 'all columns of': 'All columns of {0}', 'more actions': '{0} more', 'csv of': 'CSV of {0}',
	'rows': '{0} to {1}', 'next': 'Next', 'previous': 'Previous', 'next rows': 'Next rows of {0}', 'previous rows': 'Previous rows of {0}',
	'sort by': 'Sort by {0}', 'table': 'Numbers as a table', 'graph of': '{0}, {1}', 'grain': 'Graph by', 'zoom': 'Show {0}', 'metric': 'Number shown',
	'visits without': 'no visits', 'share': 'Share', 'now': 'now', 'before period': 'before', 'versus': 'vs {0}',
	'waiting': 'Waiting for the first hit', 'waiting text': 'This website has no visits yet. Put these tags into the head of its pages; the first hit appears here by itself.', 'waiting replace': 'Instead of {0} write the address of the daemon that takes hits; this one only serves statistics.',
	'waiting code': 'Tracking code', 'copy': 'Copy', 'copied': 'Copied',
	'quiet': 'No visits in this period.', 'quiet last': 'The latest visits are from {0}.', 'show last': 'Show {0}',
	'map': 'World map: visits by country', 'map hint': 'The stronger the colour, the more visits. Click a country to filter by it.',
	'live now': 'In the last 30 minutes', 'live minutes': 'Actions by minute', 'live actions': 'Actions', 'live none': 'Nobody is here right now.', 'live updated': 'Time of the website: {0}. Updated every 10 seconds.',
	'pause': 'Pause', 'resume': 'Resume', 'minutes ago': '{0} minutes ago',
	'visit': 'Visit', 'visit of': 'Visit of {0}', 'visits log': 'Visits, the newest first', 'actions of': '{0} actions', 'action of': '1 action',
	'from source': 'from', 'why': 'Why each hit is here', 'visit number': 'visit {0}', 'order of': 'Order {0}', 'goal': 'Goal', 'cart': 'Cart', 'orders': 'Orders', 'all goals': 'All goals and orders', 'goal number': 'Goal {0}',
	'profile': 'All visits of this visitor', 'newer': 'Newer visits', 'older': 'Older visits',
	'step': 'Step {0}', 'steps': 'Steps', 'add step': 'Add a step', 'remove step': 'Remove step {0}', 'funnel within': 'Within', 'within visit': 'one visit', 'within days': '{0} days',
	'funnel hint': 'Each step is a filter over one action, such as pageUrl=@/cart or eventCategory==shop.', 'funnel show': 'Show the funnel', 'funnel none': 'Enter at least two steps.',
	'reached': '{0} reached', 'dropped': '{0} left', 'of before': '{0} of the step before', 'of first': '{0} of the first',
	'consent hint': 'Visitors who were not asked and who agreed are identified; undecided ones and those who refused are anonymous: no visitor id, no address, no user id is stored of them.',
	'open page': 'Open the page',
	'grain hour': 'hours', 'grain day': 'days', 'grain week': 'weeks', 'grain month': 'months', 'grain quarter': 'quarters', 'grain year': 'years',
	'over time': 'Over time', 'before and after': 'What came before and after', 'tool of': '{0}: {1}', 'all rows': 'All {0} rows', 'named': 'Named filter {0}', 'named filters': 'Named filters', 'dimensions of': 'Dimensions', 'save filter': 'Save as a named filter',
	'page': 'Page', 'page by': 'Pages by', 'page by url': 'by URL', 'page by title': 'by title', 'choose page': 'Choose a page', 'views of': '{0} views', 'no views': 'Nobody viewed {0} in this period.', 'began here': 'Visits began here', 'reloads': 'Reloaded at once', 'ended here': 'Visits ended here', 'transition': 'Page or way',
	'visitor none': 'Choose a visitor in the visit log.', 'visitor gone': 'There are no visits of this visitor, or none with these filters.', 'their log': 'Each hit, in the visit log', 'first visit': 'First visit', 'last visit': 'Last visit', 'first source': 'First came by', 'from countries': 'Countries', 'devices': 'Devices', 'visits newest': 'The newest {0} visits', 'visits all': 'Visits, the newest first', 'ordered': 'ordered',
	'dimension urls': '{0}, by page', 'report': 'Report', 'arguments missing': 'This report needs: {0}.', 'dimensions hint': 'Values of the custom dimensions of this website.', 'dimension hint': 'Values of your own, such as a kind of customer or an author. Pages send them with a visit or an action under the number that the dimension gets here: dimension1, dimension2 …', 'reports hint': 'Every report that your role may run, also those that no other view shows.', 'add filter named': 'Add a named filter', 'filters hint': 'Whoever reads reports chooses a named filter instead of its conditions.', 'drop filter': 'Delete the filter {0}', 'save filter of': 'Save the filter {0}',
	'converted': 'converted', 'warning': 'Warning.', 'parts': 'Parts of the administration', 'saved': 'Saved.', 'save': 'Save', 'reset': 'Reset', 'back': 'Back', 'on': 'on', 'off': 'off', 'not set': 'not set', 'configure': 'Configure', 'apply': 'Apply', 'drop': 'Delete',
	'default is': 'default: {0}', 'from to': '{0} to {1}', 'protects': 'more private: {0}', 'instance only': 'for all websites together',
	'order on': 'on', 'order off': 'off', 'order greater': 'a greater number', 'order smaller': 'a smaller number, but 0', 'order later': 'further down the list',
	'scope': 'For', 'search settings': 'Search', 'which': 'Which', 'which every': 'every setting', 'which changed': 'changed here', 'which privacy': 'those of privacy',
	'change website': 'Change {0}', 'what profiles set': 'What each profile sets', 'retire': 'Retire', 'retire goal': 'Retire the goal {0}', 'dimension is active': 'The dimension {0} is active', 'excluded lately': 'Hits excluded in the last 30 days', 'counted lately': 'Recorded, but not as sent, in the last 30 days', 'expires on': 'Expires on (empty: never)', 'add website': 'Add a website or app', 'one a line': 'one a line', 'tracking hint': 'Put these tags into the head of each page. They report page views, downloads and outgoing links.', 'tracking url': 'Address of the daemon that takes hits (not of this one)',
	'profile of': 'How visitors of {0} are recognised', 'profile faq': 'The rules of Piwik’s FAQ to the letter. People who share a network and a kind of browser become one visit.', 'profile cookies': 'For sites whose visitors have cookies: different ids stay different visitors, and whoever comes back returns.',
	'profile cookieless': 'For sites without cookies: the fingerprint is made of the full address, with a salt that is destroyed after each day.', 'profile matomo': 'As Matomo 5 does it.', 'what it sets': 'Settings of recognition', 'no profile': 'The settings of this website are those of no profile.', 'profiles hint': 'Where a cell is empty, the default of the recognition rules holds.',
	'none yet': 'There are none yet.', 'add goal': 'Add a goal', 'many times': 'counts more than once in a visit', 'add dimension': 'Add a custom dimension',
	'add token': 'Create a token', 'kind of token': 'For', 'token tracking': 'sending hits', 'token reading': 'reading reports by scripts', 'token public': 'public link to this website', 'token once': 'Copy it now, it is not shown again:', 'drop token': 'Delete the token {0}',
	'status denied': 'Only a role that may execute status() sees it: the owner of the log, and who administers all websites.', 'wants attention': 'Needs attention', 'all well': 'Nothing.', 'in order': 'In order',
	'add user': 'Add a user', 'users hint': 'Users are roles of the database. This page changes nothing: have a superuser run these statements in psql, in this database.', 'rights': 'Rights', 'user analyst': 'read reports', 'user admin': 'read reports and change settings', 'yes': 'yes', 'no': 'no',
	'consent manager': 'Consent manager', 'consent manager hint': 'Whether visitors of {0} are asked before they are recognised, and what is stored of those who do not agree.',
	'mode not_asked': 'Visitors are not asked.', 'mode ask_else_nothing': 'Visitors are asked; of those who do not agree nothing is stored.', 'mode ask_else_anonymous': 'Visitors are asked; those who do not agree are counted anonymously.',
	'ask for consent': 'Ask visitors for consent', 'ask hint': 'The tracking code shows the consent window.', 'anonymous tracking': 'Anonymous data tracking', 'anonymous hint': 'Visitors who refuse, or have not decided, are counted without being recognised. Only if visitors are asked.',
	'effect': 'What this does', 'effect not_asked': 'Everybody is counted and recognised, except those who refuse.', 'effect ask_else_nothing': 'You see only those who agree: numbers of visits are lower than the truth.', 'effect ask_else_anonymous': 'You see all visits. Visits, page views and times are right; new visitors are overstated, because an anonymous visitor is always new.',
	'anonymous never': 'Of an anonymous visit no visitor id, no address, no user id and no fingerprint is stored: addresses appear as zeros.',
	'joined by cookie': 'The hits of an anonymous session are joined by a cookie of 30 minutes.', 'joined by fingerprint': 'The hits of an anonymous session are joined by a fingerprint that is never stored, and by no cookie.', 'joined by nothing': 'Nothing joins the hits of an anonymous visitor: each hit is a visit.',
	'anonymous place': 'Finest location of an anonymous visit: {0}.', 'anonymous device': 'Data of the device of an anonymous visit: {0}.', 'anonymous new': 'Somebody anonymous who comes back is not recognised.',
	'position': 'Position', 'position bottom': 'bottom', 'position center': 'centre', 'position top': 'top', 'ask again': 'Ask again after (days)', 'policy url': 'Address of the privacy policy', 'colour background': 'Background', 'colour text': 'Text', 'colour button': 'Buttons', 'colour button_text': 'Text of buttons',
	'low contrast': 'The contrast of these colours is below 4.5: many people could not read it, and the server refuses it.', 'language of texts': 'Language', 'language code': 'Code of a language', 'add language': 'Add this language', 'preview': 'Preview',
	'compared': '{0}', 'id': 'Visitor id', 'user id': 'User id', 'log hint': 'The newest visits first; below each hit, why it went to this visit.', 'all folders': 'All folders'
};

const VIEW_NAMES = {
	overview: 'Overview', live: 'Now', visitors: 'Visitors', pages: 'Pages', sources: 'Sources', places: 'Places',
	devices: 'Devices', actions: 'Events, files, searches', goals: 'Goals', shop: 'Shop', funnel: 'Funnel', consent: 'Consent', log: 'Visit log', sites: 'All websites',
	transitions: 'Before and after', dimensions: 'Custom dimensions', reports: 'All reports', visitor: 'A visitor', admin: 'Administration'
};

const GROUPS = { look: 'At a glance', who: 'Visitors', what: 'Content', result: 'Results', settings: 'Settings' };

const PANEL_NAMES = {
	pages: 'Pages', titles: 'Page titles', entry_pages: 'Entry pages', exit_pages: 'Exit pages', page_tree: 'Folders', performance: 'Loading times',
	entry_titles: 'Entry titles', exit_titles: 'Exit titles', pages_after_search: 'Pages after a search', titles_after_search: 'Titles after a search',
	referrer_types: 'Types of sources', referrers: 'Sources', keywords: 'Keywords', campaigns: 'Campaigns', ai: 'AI assistants', social: 'Social networks', websites: 'Websites', referring_pages: 'Referring pages',
	countries: 'Countries', regions: 'Regions', cities: 'Cities', languages: 'Languages', continents: 'Continents', map: 'Map',
	device_types: 'Device types', device_brands: 'Brands', device_models: 'Models', browsers: 'Browsers', browser_versions: 'Browser versions',
	systems: 'Operating systems', system_versions: 'Versions of operating systems', resolutions: 'Screen resolutions', engines: 'Browser engines',
	hours: 'Hours of the day', weekdays: 'Days of the week', visitors: 'New and returning', durations: 'Length of visits', page_counts: 'Visits by number of pages', visit_counts: 'Visits by visit number', users: 'Users',
	events: 'Events', downloads: 'Downloads', outlinks: 'Outlinks', searches: 'Site searches', search_categories: 'Search categories', searches_without_results: 'Searches without results',
	contents: 'Content blocks', content_names: 'Content names', content_pieces: 'Content pieces', custom_variables: 'Custom variables',
	goal_summary: 'Goals and orders', conversions: 'Conversions by source', attribution: 'Attribution', conversion_hours: 'Conversions by hour', days_to_conversion: 'Days until the conversion', visits_to_conversion: 'Visits until the conversion',
	goal_countries: 'Conversions by country', goal_devices: 'Conversions by device',
	orders: 'Orders over time', products: 'Products', product_names: 'Product names', product_categories: 'Product categories',
	by: 'Visits by a dimension', goals_by: 'Goals by a dimension', action_dimension: 'Values of a custom dimension of actions', action_dimension_urls: 'Values of a custom dimension of actions, by page', evolution: 'A row over time', transitions: 'Before and after a page', visitor: 'A visitor', visit_log: 'Visit log', live: 'Now', funnel: 'Funnel', goals: 'Goals',
	consent: 'Consent over time', cohorts: 'Who comes back', sites: 'All websites', visits: 'Visits over time'
};

const METRICS = {
	nb_visits: 'Visits', nb_uniq_visitors: 'Visitors', nb_users: 'Users', nb_actions: 'Actions', nb_pageviews: 'Page views', max_actions: 'Most actions',
	bounce_count: 'Bounces', bounce_rate: 'Bounce rate', avg_time_on_site: 'Time per visit', sum_visit_length: 'Total time', nb_actions_per_visit: 'Actions per visit',
	nb_visits_converted: 'Converted visits', nb_conversions: 'Conversions', revenue: 'Revenue', nb_visits_anonymous: 'Anonymous visits', anonymous_rate: 'Anonymous',
	nb_hits: 'Views', avg_time_on_page: 'Time on page', exit_rate: 'Exit rate', exit_nb_visits: 'Exits', exit_nb_uniq_visitors: 'Visitors', entry_nb_visits: 'Entries', entry_nb_uniq_visitors: 'Visitors', entry_nb_actions: 'Actions', entry_bounce_count: 'Bounces',
	nb_events: 'Events', sum_event_value: 'Total value', avg_event_value: 'Average value', nb_no_result: 'Without results', no_result_rate: 'Share without results', nb_pages_per_search: 'Pages per search', nb_hits_following_search: 'After a search',
	nb_impressions: 'Impressions', nb_interactions: 'Interactions', interaction_rate: 'Interaction rate',
	conversion_rate: 'Conversion rate', nb_conversions_percentage: 'Share', avg_order_revenue: 'Average order', items: 'Items', abandoned_carts: 'Abandoned carts', abandoned_revenue: 'Value left in carts', abandoned_quantity: 'Items left in carts', orders: 'Orders', quantity: 'Quantity', avg_price: 'Average price', avg_quantity: 'Average quantity', orders_revenue: 'Revenue of orders',
	first_nb_conversions: 'First visit', last_nb_conversions: 'Last visit', last_not_direct_nb_conversions: 'Last not direct', first_revenue: 'First visit, revenue', last_revenue: 'Last visit, revenue', last_not_direct_revenue: 'Last not direct, revenue',
	nb_visits_identified: 'Identified', nb_visits_not_asked: 'Not asked', nb_visits_granted: 'Agreed', nb_visits_undecided: 'Undecided', nb_visits_refused: 'Refused',
	avg_page_load_time: 'Average', median_page_load_time: 'Median', p95_page_load_time: '95th percentile', avg_time_server: 'Server', avg_time_network: 'Network', avg_time_dom_processing: 'Processing', nb_hits_with_times: 'Views with times',
	nb_pages: 'Pages', nb_returning: 'Came again', returning_rate: 'Return rate', visits_evolution: 'Change in visits', pageviews_evolution: 'Change in page views', revenue_evolution: 'Change in revenue', previous_nb_visits: 'Visits before',
	nb_searches: 'Searches', sum_time_spent: 'Time spent', avg_time_on_dimension: 'Time per action', following_search_rate: 'After a search',
	conversion_rate_new_visit: 'Rate of new', conversion_rate_returning_visit: 'Rate of returning',
	order_conflicts: 'Order ids taken', nb_reached: 'Reached', nb_dropped: 'Left', step_rate: 'Of the previous step'
};

const LABELS = {
	url: 'Page', title: 'Title', referrer_type: 'Type', referer_name: 'Source', referer_keyword: 'Keyword', referer_url: 'Page', country: 'Country', region: 'Region (ISO code)', city: 'City', language: 'Language',
	browser: 'Browser', version: 'Version', os: 'System', device_type: 'Type', device_brand: 'Brand', device_model: 'Model', hour: 'Hour', label: 'Value', visitEndServerDayOfWeek: 'Day', visitDuration: 'Length', actions: 'Pages', visitCount: 'Visit number', continentCode: 'Continent', countryCode: 'Country', resolution: 'Screen', browserEngine: 'Engine', userId: 'User', deviceType: 'Type', visitor_type: 'Visitors',
	category: 'Category', action: 'Action', name: 'Name', keyword: 'Keyword', content_name: 'Content', content_piece: 'Piece', scope: 'Scope', value: 'Value', idgoal: 'Goal', days: 'Days', visits: 'Visits', sku: 'SKU', path: 'Folder or page', first_day: 'Period', last_day: 'To', period_number: 'Periods later'
};

const DIMENSIONS = {
	pageUrl: 'Page', pageTitle: 'Page title', entryPageUrl: 'Entry page', exitPageUrl: 'Exit page', entryPageTitle: 'Entry title', exitPageTitle: 'Exit title',
	referrerType: 'Kind of source', referrerName: 'Source', referrerKeyword: 'Keyword', referrerUrl: 'Referring page', countryCode: 'Country', regionCode: 'Region', city: 'City', continentCode: 'Continent', languageCode: 'Language',
	browserName: 'Browser', browserVersion: 'Version of the browser', browserEngine: 'Engine', operatingSystemName: 'System', operatingSystemVersion: 'Version of the system', deviceType: 'Kind of device', deviceBrand: 'Brand', deviceModel: 'Model', resolution: 'Screen',
	visitEcommerceStatus: 'Orders of the visit', visitorType: 'Visitor', visitCount: 'Number of the visit', consent: 'Consent', userId: 'User', visitorId: 'Visitor id', visitStartServerHour: 'Hour of the visit', visitDuration: 'Seconds of the visit', actions: 'Actions of the visit', visitConverted: 'Converted (1 or 0)',
	eventCategory: 'Category of an event', eventAction: 'Action of an event', eventName: 'Name of an event', downloadUrl: 'Download', outlinkUrl: 'Outlink', siteSearchKeyword: 'Searched for', siteSearchCategory: 'Category of a search',
	contentName: 'Content', contentPiece: 'Piece of content', visitConvertedGoalId: 'Goal reached', visitConvertedGoalName: 'Name of a goal reached', productSku: 'SKU in an order', productName: 'Product in an order', productCategory: 'Product category', productViewSku: 'SKU of a product seen', productViewName: 'Product seen', productViewCategory: 'Category of a product seen', actionUrl: 'Address of an action'
};

const OPERATORS = { '==': 'is', '!=': 'is not', '=@': 'contains', '!@': 'does not contain', '=^': 'begins with', '!^': 'does not begin with', '=$': 'ends with', '!$': 'does not end with', '>': 'is more than', '>=': 'is at least', '<': 'is less than', '<=': 'is at most' };

const WORDS = { direct: 'Direct', 'search engine': 'Search engines', website: 'Websites', campaign: 'Campaigns', 'social network': 'Social networks', 'AI assistant': 'AI assistants',
	'new': 'New', returning: 'Returning', 'returning customer': 'Returning customers' };

const ACTION_KINDS = { page: 'page', event: 'event', search: 'search', download: 'download', outlink: 'link', content: 'content', conversion: 'goal' };
const SIDES = { before: 'Before', after: 'After' };
const TRANSITIONS = { page: 'page', search: 'search', reload: 'The page itself', download: 'download', outlink: 'link', exit: 'End of the visit', direct: 'Direct', 'search engine': 'search engine', website: 'website', campaign: 'campaign', 'social network': 'social network', 'AI assistant': 'AI assistant' };
const FACTS = { profile: 'Profile', visitor: 'Visitor', consent: 'Consent', address: 'Address', place: 'Place', language: 'Language', device: 'Device', source: 'Source' };
/* How the visitor of a hit was recognised, and what became of the visit: matched_by and decision of the log. */
const MATCHED = { none: 'not recognised', user_id: 'recognised by the user id', cid: 'recognised by the id that the hit names (cid)', third_party_cookie: 'recognised by the daemon’s cookie', cookie: 'recognised by the cookie of the site', fingerprint: 'recognised by the fingerprint', session_link: 'recognised by the anonymous session' };
const DECISIONS = { 'continue': 'the visit goes on', unknown: 'a new visit by an unknown visitor', new_visit: 'a new visit, because the hit asked for one', inactivity: 'a new visit, after a pause', midnight: 'a new visit, after midnight', user_changed: 'a new visit, of another user', campaign: 'a new visit, by another campaign', website: 'a new visit, from another website', limit: 'a new visit, because the last one was too long' };

const PARTS = { status: 'Status', websites: 'Websites and apps', tracking: 'Tracking code', recognition: 'Recognition', privacy: 'Privacy', window: 'Consent window', settings: 'Settings', goals: 'Goals', dimensions: 'Dimensions', exclusions: 'Exclusions', segments: 'Named filters', tokens: 'Tokens', users: 'Users' };
const COLUMNS = { filter: 'Filter', idsite: 'Number', website: 'Website', name: 'Name', urls: 'Addresses', timezone: 'Time zone', currency: 'Currency', ecommerce: 'Shop', idgoal: 'Number', match_attribute: 'Reached by', pattern: 'Pattern', pattern_type: 'How', revenue: 'Revenue', scope: 'Sent with', expires: 'Expires', item: 'What', value: 'Now', remark: 'Remark', who: 'Who', stored: 'What is stored', drop: 'Delete', retire: 'Retire', kind: 'For', hash: 'Hash', created: 'Created', role: 'Role', rights: 'Rights', sites: 'Websites', iddimension: 'Number', setting: 'Setting', day: 'Day', reason: 'Reason', hits: 'Hits', analyst: 'Reads reports', admin: 'Changes settings', valid_until: 'Valid until', active: 'Active', extractions: 'Taken from', case_sensitive: 'Case matters' };
/* Why hits were excluded; COUNTED: what was recorded, and is counted beside them. */
const REASONS = { rec: 'no rec=1', bot: 'bot', automation: 'browser or library driven by a program', do_not_track: 'the browser asks not to be tracked', exclude_requests: 'by the setting exclude_requests', opt_out_cookie: 'the visitor has opted out', ip: 'excluded address', user_agent: 'excluded user agent', referrer_spam: 'spam in the referrer', unknown_url: 'page of no address of the website', prefetch: 'fetched in advance', suppressed: 'was forgotten, not to be tracked again', session_limit: 'after the limit of a session' };
export const COUNTED = { bad_address: 'without its address, which could not be read', bad_money: 'an amount could not be read', joined_other_id: 'in a visit with another visitor id, by the fingerprint', too_many_names: 'without a new name, of which there were too many' };
const SOURCES = { 'default': 'default value', rules: 'by the rules of recognition', instance: 'set for all websites', site: 'set for this website' };
const GOALS_BY = { url: 'the URL of a page', title: 'the title of a page', file: 'a download', external_website: 'a link to another website', event_category: 'the category of an event', event_action: 'the action of an event', event_name: 'the name of an event', manually: 'the page’s own call', visit_duration: 'the length of the visit' };
const PATTERNS = { contains: 'contains', exact: 'is', regex: 'regular expression', greater_than: 'more minutes than' };
const WHO = { agreed: 'agreed', undecided: 'has not decided', refused: 'refused' };
const STORED = { identified: 'an identified visit', anonymous: 'an anonymous visit', nothing: 'nothing' };
const SETTING_NAMES = { anonymous_session_cookie: 'Join the hits of a session by a cookie', anonymous_fingerprint: 'Join the hits of a session by a fingerprint', anonymous_geo_level: 'Location', anonymous_device_level: 'Device', consent_upgrade: 'Who agrees in mid-visit' };
const TEXTS_OF = { title: 'Title', text: 'Text', agree: 'Button to agree', refuse: 'Button to refuse', policy: 'Link to the policy' };

const TABLES = { part: PARTS, 'reason of': Object.assign({}, REASONS, COUNTED), column: COLUMNS, source: SOURCES, 'goal by': GOALS_BY, pattern: PATTERNS, who: WHO, stored: STORED, setting: SETTING_NAMES, 'text of': TEXTS_OF, side: SIDES, 'transition of': TRANSITIONS,
	 view: VIEW_NAMES, group: GROUPS, panel: PANEL_NAMES, label: LABELS, dimension: DIMENSIONS, operator: OPERATORS, word: WORDS, kind: ACTION_KINDS, fact: FACTS, matched: MATCHED, decision: DECISIONS };
const own = (table, key) => Object.prototype.hasOwnProperty.call(table, key) ? table[key] : undefined;

/* t(key, …): a text, with what is put in; t('view', name) and the like: the name of a view, panel, label … */
export function t(key, ...given) {
	if (own(TABLES, key) && given.length) {
		const found = own(TABLES[key], given[0]);

		return found === undefined ? String(given[0]) : found;
	}
	return (own(TEXTS, key) || key).replace(/\{(\d)\}/g, (all, n) => given[n]);
}

/* Where a report counts something of its own by a common name. */
const METRICS_OF = { action_dimension: { nb_hits: 'Actions' }, action_dimension_urls: { nb_hits: 'Actions' }, orders: { nb_conversions: 'Orders' }, downloads: { nb_hits: 'Downloads' }, outlinks: { nb_hits: 'Clicks' }, searches: { nb_hits: 'Searches' }, search_categories: { nb_hits: 'Searches' }, searches_without_results: { nb_hits: 'Searches' } };

/* The name of a column of numbers of a report; one that has none shows its own words. */
export const metricName = (column, report) => own(own(METRICS_OF, report) || {}, column) || own(METRICS, column) || column.replace(/^nb_/, '').replace(/_/g, ' ').replace(/^./, c => c.toUpperCase());
export const dimensions = () => Object.entries(DIMENSIONS);
export const operators = () => Object.entries(OPERATORS);
