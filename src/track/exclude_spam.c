/*
 * exclude_spam.c
 *		Hosts that send hits with themselves as referrer, to be seen in reports.
 *
 * A referrer is spam if its host is a listed one or below one.  Anything else
 * in its URL may well name such a host: a page that warns of it, a search.
 */
#include "postgres.h"

#include "base/text.h"
#include "base/url_form.h"
#include "track/exclude_spam.h"

/* Well-known spam hosts.  None of them is part of a reputable host. */
static const char *const known_hosts[] = {
	"0n-line.tv", "1-99seo.com", "1-best-seo.com", "100-reasons-for-seo.com",
	"100dollars-seo.com", "100searchengines.com", "12-reasons-for-seo.net",
	"15-reasons-for-seo.com", "2-best-seo.com", "3-best-seo.com", "4-best-seo.com",
	"4webmasters.org", "5-best-seo.com", "5-steps-to-start-business.com", "6-best-seo.com",
	"7-best-seo.com",
	"7makemoneyonline.com", "8-best-seo.com", "9-best-seo.com", "99-reasons-for-seo.com",
	"acunetix-referrer.com", "adviceforum.info", "affordablewebsitesandmobileapps.com",
	"alibestsale.com", "amazon-seo-service.com", "analytics-ads.xyz", "anticrawler.org",
	"auto-b2b-seo-service.com", "auto-seo-service.org", "autoseo-service.org",
	"autoseo-traffic.com", "autoseotips.com", "autovideobroadcast.com", "avtovykup.kz",
	"balkanfarma.org", "best-ping-service-usa.blue", "best-seo-offer.com",
	"best-seo-software.xyz", "best-seo-solution.com", "bestofferhddbyt.info",
	"bestofferhddeed.info", "bestwebsitesawards.com", "biglistofwebsites.com",
	"blackhatworth.com", "blogseo.xyz", "boostmyppc.com", "break-the-chains.com",
	"buttons-for-website.com", "buttons-for-your-website.com", "buy-cheap-online.info",
	"buy-cheap-pills-order-online.com", "buypillsonline24h.com", "cenokos.ru", "cenoval.ru",
	"cheap-trusted-backlinks.com", "cheappills24h.com", "chinese-amezon.com", "cityadspix.com",
	"compliance-alex.xyz", "compliance-alexa.xyz", "compliance-andrew.xyz",
	"compliance-barak.xyz", "compliance-brian.xyz", "compliance-don.xyz", "compliance-donald.xyz",
	"compliance-elena.xyz", "compliance-fred.xyz", "compliance-george.xyz",
	"compliance-irvin.xyz", "compliance-ivan.xyz", "compliance-john.top",
	"compliance-julianna.top", "cookie-law-enforcement-aa.xyz", "cookie-law-enforcement-bb.xyz",
	"cookie-law-enforcement-cc.xyz", "cookie-law-enforcement-dd.xyz",
	"cookie-law-enforcement-ff.xyz", "cookie-law-enforcement-gg.xyz",
	"cookie-law-enforcement-hh.xyz", "copyrightclaims.org", "copyrightinstitute.org",
	"covadhosting.biz", "dailyrank.net", "dailyseo.xyz", "darodar.com",
	"descargar-musica-gratis.net", "dev-seo.blog", "domain-tracker.com", "dominateforex.ml",
	"e-buyeasy.com", "e-commerce-seo.com", "e-commerce-seo1.com", "earn-from-articles.com",
	"earnian-money.info", "ecommerce-seo.org", "eu-cookie-law-enforcement2.xyz",
	"event-tracking.com", "fbdownloader.com", "fix-website-errors.com",
	"floating-share-buttons.com", "for-marketersy.info", "free-fb-traffic.com",
	"free-fbook-traffic.com", "free-floating-buttons.com", "free-share-buttons.com",
	"free-social-buttons.xyz", "free-social-buttons7.xyz", "free-traffic.xyz",
	"free-video-tool.com", "free-website-traffic.com", "get-clickize.info",
	"get-free-social-traffic.com", "get-free-traffic-now.com", "get-more-freeer-visitors.info",
	"get-more-freeish-visitors.info", "get-seo-help.com", "get-your-social-buttons.info",
	"getaadsincome.info", "getadsincomely.info", "getfy-click.info", "getpy-click.info",
	"getrichquickly.info", "ghostvisitor.com", "gobongo.info", "googlemare.com", "googlsucks.com",
	"growth-hackingan.info", "growth-hackingor.info", "growth-hackingy.info", "guardlink.org",
	"hosting-tracker.com", "howtostopreferralspam.eu", "hulfingtonpost.com",
	"humanorightswatch.org", "hundejo.com", "ilikevitaly.com", "iloveitaly.ro", "iloveitaly.ru",
	"ilovevitaly.co", "ilovevitaly.info", "ilovevitaly.org", "ilovevitaly.ru", "ilovevitaly.xyz",
	"increasewwwtraffic.info", "iskalko.ru", "justprofit.xyz", "kabbalah-red-bracelets.com",
	"kambasoft.com", "keywords-monitoring-success.com", "keywords-monitoring-your-success.com",
	"krumble-adsde.info", "krumble-adsen.info", "krumbleent-ads.info", "landoftracking.com",
	"law-check-two.xyz", "law-enforcement-bot-ff.xyz", "law-enforcement-check-three.xyz",
	"law-enforcement-ee.xyz", "livefixer.com", "local-seo-for-multiple-locations.com",
	"makemoneyonline.com", "masterseek.com", "meds-online24.com", "monetizationking.net",
	"money-for-placing-articles.com", "mycheaptraffic.com", "newstaffadsshop.club",
	"o-o-11-o-o.com", "o-o-6-o-o.com", "o-o-6-o-o.ru", "o-o-8-o-o.com", "o-o-8-o-o.ru",
	"onlinetvseries.me", "paidonlinesites.com", "perform-like-alibabaity.info",
	"perform-likeism-alibaba.info", "pops.foundation", "pornhub-forum.ga", "pornhub-forum.uni.me",
	"pornhub-ru.com", "priceg.com", "promotion-for99.com", "qualitymarketzone.com",
	"rank-checker.online", "rankings-analytics.com", "ranksonic.info", "ranksonic.net",
	"ranksonic.org", "rapidgator-porn.ga", "resell-seo-services.com", "responsive-test.net",
	"savetubevideo.com", "savetubevideo.info", "semalt.com", "semaltmedia.com", "seo-2-0.com",
	"seo-platform.com", "seo-services-b2b.com", "seo-services-wordpress.com", "seo-tips.top",
	"seoanalyses.com", "seocheckupx.com", "seocheckupx.net", "seoexperimenty.ru", "seojokes.net",
	"seopub.net", "seoservices2018.com", "share-buttons-for-free.com", "share-buttons.xyz",
	"sharebutton.io", "sharebutton.net", "sharebutton.to", "simple-share-buttons.com",
	"site-auditor.online", "sitevaluation.org", "slow-website.xyz", "smartphonediscount.info",
	"social-button.xyz", "social-buttons-ii.xyz", "social-buttons.com", "social-traffic-1.xyz",
	"social-traffic-2.xyz", "social-traffic-3.xyz", "social-traffic-4.xyz",
	"social-traffic-5.xyz", "social-traffic-7.xyz", "social-widget.xyz", "socialbuttons.xyz",
	"socialseet.ru", "success-seo.com", "superiends.org", "theguardlan.com",
	"top1-seo-service.com", "top10-way.com", "topseoservices.co", "track-rankings.online",
	"traffic-cash.xyz", "traffic2cash.org", "traffic2cash.xyz", "traffic2money.com",
	"trafficgenius.xyz", "trafficmonetize.org", "trafficmonetizer.org", "uptimechecker.com",
	"videos-for-your-business.com", "wakeupseoconsultant.com", "web-revenue.xyz"
};

struct SpamList
{
	int			n;
	int			room;
	char	  **hosts;			/* in their one form, sorted */
};

static int
compare_hosts(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/*
 * spam_list_create
 *		A list of the well-known ones, in the current memory context.
 */
SpamList *
spam_list_create(void)
{
	SpamList   *list = palloc0_object(SpamList);

	list->room = 2 * lengthof(known_hosts);
	list->hosts = palloc_array(char *, list->room);
	for (int i = 0; i < (int) lengthof(known_hosts); i++)
		spam_list_add(list, known_hosts[i]);
	return list;
}

/* The host of a URL, or of a text that begins with one, in its one form. */
static char *
host_of(const char *text)
{
	const char *host = strstr(text, "//");
	const char *end;
	const char *at;

	host = host != NULL && host == text +strcspn(text, "/?#") ? host + 2 : text;

	end = host + strcspn(host, "/?#");
	while ((at = memchr(host, '@', end - host)) != NULL)
		host = at + 1;
	end = host + strcspn(host, ":/?#");
	return url_host_form(host, end - host);
}

/*
 * spam_list_add
 *		Add a host, in any case, with or without scheme, "www." and path.  Too
 *		short a one is left out.
 */
void
spam_list_add(SpamList *list, const char *text)
{
	char	   *host = host_of(text);

	if (strncmp(host, "www.", 4) == 0)
		host += 4;
	if (host[0] == '.')
		host++;
	if (strlen(host) < SPAM_HOST_MIN)
		return;
	if (list->n == list->room)
	{
		list->room *= 2;
		list->hosts = repalloc_array(list->hosts, char *, list->room);
	}
	list->hosts[list->n++] = host;
}

/*
 * spam_list_finish
 *		All have been added: now it can be searched.
 */
void
spam_list_finish(SpamList *list)
{
	qsort(list->hosts, list->n, sizeof(char *), compare_hosts);
}

/*
 * spam_list_finds
 *		Is the referrer's host a listed one, or below one?
 */
bool
spam_list_finds(const SpamList *list, const char *urlref)
{
	const char *host = host_of(text_trim(pstrdup(urlref)));

	while (host != NULL)
	{
		if (bsearch(&host, list->hosts, list->n, sizeof(char *), compare_hosts) != NULL)
			return true;
		host = strchr(host, '.');
		if (host != NULL)
			host++;
	}
	return false;
}
