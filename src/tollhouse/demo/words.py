"""Word lists of the demo's prose, by part of speech, from several domains of a company's daily work."""

_NOUNS = """
account accrual adapter address adjustment agenda agreement alert algorithm allocation amendment amount analysis
anomaly answer appendix application approval archive argument article assertion asset assumption attachment attempt
audit backlog backup balance bandwidth baseline batch benchmark benefit bill binary block board bottleneck boundary
branch breach breakdown briefing broker bucket budget buffer bug build bundle cache calendar campaign candidate
capacity carrier case catalogue category certificate chain channel chapter charge chart checklist claim clause
cleanup client cluster cohort collection column comment commit committee comparison compiler complaint component
compromise condition conflict connection consent constraint container contract contractor conversion coordinate copy
correction cost counter coupon coverage crash credit criterion currency customer cycle dashboard dataset deadline
debt decision default defect delay delivery demand dependency deployment deposit descriptor design device diagram
difference directory disclosure discount discrepancy dispute distribution document domain download draft driver
duplicate duration editor effort element employee endpoint engine enquiry entry envelope equipment error escalation
estimate evaluation event evidence example exception exchange exclusion expense experiment expiry explanation
exposure extension factory failure feature feedback field figure filter finding firmware flag fleet folder footnote
forecast format fragment framework freight function gateway goal grant graph guarantee guideline handler handover
hardware hash header heading heuristic hierarchy hint holiday horizon hypothesis identifier image impact
implementation incentive incident income increment index indicator industry inspection instance instruction
insurance integration interface interval inventory invoice iteration job journal journey kernel label laboratory
language latency launch layer layout ledger letter library licence limit listing loan location lock loop machine
maintenance manager mandate manifest manual margin market marker material matrix measure meeting memo merchant
message metric migration milestone minute mistake mitigation mixture mobile model module monitor mortgage motion
narrative network node notebook notice notification number objective obligation observation offer office operation
operator opinion option order outage outcome outlier overhead overview owner package page panel parameter parcel
parser participant partition partner passage patch patent patient payload payment payroll penalty performance
permission phase pipeline placeholder plan platform plugin policy pool portal portfolio position post practice
precedent prediction premium presentation price principle priority procedure process procurement product profile
profit programme project promise proof proposal protocol provider provision publication purchase quality quantity
quarter query question queue quota quote range ranking rate reading reason receipt recipient recommendation
reconciliation record recovery redemption reduction reference refund region register regression regulation relation
release reminder renewal report repository request requirement reservation resolution resource response restriction
result retention retrieval return revenue review revision risk role rollout route routine rule sample sandbox
scenario schedule schema scope score screen script section segment selection sensor sentence sequence server service
session setting settlement shipment signal signature simulation site snapshot solution source specification sponsor
spreadsheet sprint stack stage stakeholder standard statement statistic statute storage strategy stream structure
study subject subscription subsidiary suggestion summary supplier supply support surcharge survey suspension symbol
symptom syntax system table target tariff task template tenant tender terminal territory test theme theory thread
threshold ticket timeline timeout token tolerance topic trace tracker trade transaction transcript transfer
transition translation treatment trend trial trigger tutorial update upgrade usage vacancy validation valuation
variable variance vector vehicle vendor verdict version viewer violation visitor volume voucher waiver warehouse
warning warranty webhook weight window withdrawal witness workflow workload workshop worksheet yield zone
"""
_ADJECTIVES = """
abandoned absolute abstract acceptable accidental accurate active actual additional adequate adjacent advanced
aggregate alternate ambiguous annual anonymous apparent applicable approximate arbitrary asynchronous authentic
automatic available average basic biannual binding broad broken brittle busy careful central certain cheap circular
civil clean clear closed cold common compact comparable compatible complete complex compliant concise concurrent
conditional confidential consecutive consistent constant contractual convenient corporate correct corrupt costly
critical cumulative current custom cyclic damaged dangerous decent deep deferred degraded deliberate dense dependent
detailed deterministic different digital direct disabled distinct domestic dormant double doubtful dry due dynamic
eager early effective efficient elaborate eligible empty encrypted enormous entire equal essential eventual exact
excessive exclusive existing expensive explicit external faint fair familiar fast fatal favourable federal final
financial fixed flat flexible foreign formal fragile frequent fresh full functional fuzzy general generic genuine
global gradual granular gross hard heavy helpful hidden historic honest hourly human identical idle immediate
immutable implicit important inactive incomplete incorrect incremental independent indirect individual industrial
infinite informal initial inner insecure internal invalid isolated joint junior large late latent lawful lazy legal
lengthy light likely limited linear linked literal little local logical long loose lossy loyal major malformed
manual marginal massive medical mild minimal minor missing mixed moderate modern modest monthly multiple mutable
mutual naive narrow national native necessary negative nested net neutral noisy nominal normal notable novel numeric
obscure obsolete obvious occasional offline official ongoing opaque open optional ordinary organic original outdated
overdue overlapping parallel partial passive peculiar pending periodic permanent persistent personal plain plausible
poor popular portable positive possible potential practical precise preliminary premium pristine private probable
profitable prominent proper proposed public quarterly quick quiet random rapid rare raw ready real reasonable recent
recursive redundant regional regular relevant reliable remaining remote repeated resilient responsible restricted
reversible rigid robust rough routine safe salient satisfactory scarce scheduled seasonal secondary secret secure
sensible sensitive separate serial serious severe shallow shared sharp short significant silent similar simple
single slow small smooth solid spare sparse special specific stable stale standard static steady strict strong
structured subtle sudden sufficient suitable superficial suspicious symmetric systematic tangible technical
temporary tentative thorough tight timely tiny total traceable transient transparent trivial typical unclear uniform
unique unknown unpaid unstable unusual upper urgent useful vague valid valuable verbose viable virtual visible vital
volatile vulnerable warm weak weekly wide wrong yearly
"""
_VERBS = """
accelerate accept achieve acquire activate adjust adopt affect allocate amend analyse announce anticipate append
apply approve archive arrange assemble assess assign attach audit authorise balance block bound build bypass
calculate cancel capture carry challenge change charge check cite claim classify clarify clean close collect combine
compare compensate compile complete compress compute conceal confirm connect consolidate constrain contain
contradict control convert copy correct cover create credit cut damage debug decline decode decrease defer define
delay delete deliver demonstrate deny deploy deprecate derive describe detect determine disable discard disclose
display distribute document double download draft drive drop duplicate edit eliminate embed enable encode encounter
encrypt enforce enrich escalate establish estimate evaluate examine exceed exchange exclude execute exhaust expand
expect explain expose extend extract file filter finish fix flag flatten follow forecast forward freeze generate
govern grant group guarantee guide halt handle hide highlight identify ignore illustrate impact implement import
improve include increase index infer inform inherit initiate inspect install integrate interpret interrupt introduce
invalidate investigate invoke isolate issue join justify keep label launch limit link list load locate lock log
lower maintain manage map mask match measure mention merge migrate minimise mirror mitigate model modify monitor
move negotiate normalise notify observe obtain offset omit open optimise order organise override pause permit pin
plan postpone predict prepare preserve prevent print prioritise process produce prohibit project promote protect
prove provide prune publish purchase query queue quote raise rank reach rebuild recalculate receive recommend
reconcile record recover redirect reduce refactor refer refine reflect refund refuse register regulate reject
release remove rename render renew reopen repair repeat replace report represent reproduce require reschedule
reserve reset resolve restart restore restrict retain retire retrieve retry return reuse reveal reverse review
revise rotate route run sample satisfy save scale scan schedule select send separate serialise settle share ship
shift shorten show sign simplify simulate skip slow solve sort specify split stabilise start state stop store stream
strengthen submit subtract suggest summarise supersede supply support suppress surface suspend switch synchronise
tag terminate test throttle time trace track transfer transform translate trigger trim truncate tune undermine
unlock update upgrade validate verify violate wait warn weaken withdraw wrap write yield
"""
_ADVERBS = """
accurately afterwards again already always apparently automatically barely briefly carefully certainly clearly
closely commonly completely consistently constantly correctly currently deliberately directly drastically eagerly
easily entirely especially eventually exactly explicitly fairly finally formally frequently fully generally
gradually hardly implicitly independently indirectly initially instead jointly largely lately likewise locally
manually merely mostly narrowly nearly normally notably occasionally often partly perhaps possibly precisely
presumably previously probably promptly properly quickly quietly randomly rarely readily recently regularly
repeatedly safely seldom separately sharply silently similarly simply slightly slowly sometimes soon steadily
strictly strongly suddenly surprisingly temporarily tentatively thoroughly twice typically unexpectedly
unfortunately usually virtually widely
"""
_GIVEN_NAMES = """
Aisha Amara Anders Anika Beatriz Bruno Camille Carlos Chiara Dana Darius Elena Emeka Erik Fatima Felix Freya Gabriel
Greta Hamid Hana Hugo Ines Ivan Jamal Jana Jonas Kaito Karin Kofi Laila Lars Leila Liam Lucia Maja Marek Mateo Mei
Milan Mina Nadia Niko Noor Olga Omar Oskar Paula Petra Priya Rafael Rania Ravi Rosa Samir Sara Selma Sofia Stefan
Tariq Thea Tomas Ulla Vera Viktor Wanda Yara Yusuf Zainab Zoe
"""
_FAMILY_NAMES = """
Abara Adeyemi Albrecht Almeida Andersen Bakker Banerjee Becker Bianchi Bianco Borg Castillo Chen Costa Dahl Dimitrov
Duarte Eklund Farouk Fischer Fontaine Garcia Gupta Haddad Hansen Horvat Ibrahim Ito Ivanova Jansen Kaplan Keller
Kowalski Kumar Larsen Laurent Lindqvist Lopez Maier Marchetti Mbeki Moreau Nakamura Navarro Nguyen Novak Okafor
Olsen Osei Park Pereira Petrov Quist Rahman Ramirez Rossi Sato Schmidt Silva Singh Svensson Tanaka Toth Vargas
Virtanen Vogel Weber Wolff Yilmaz Zhang Zimmermann
"""
_PLACES = """
Aarhus Antwerp Athens Barcelona Basel Bergen Berlin Bilbao Bologna Boston Bratislava Bristol Brno Brussels Bucharest
Budapest Chicago Cologne Copenhagen Dallas Denver Dublin Edinburgh Eindhoven Florence Frankfurt Gdansk Geneva Ghent
Graz Hamburg Helsinki Kyoto Leeds Leipzig Lille Lisbon Ljubljana London Lyon Madrid Malmo Manchester Marseille Milan
Montreal Munich Nairobi Nantes Naples Osaka Oslo Ottawa Paris Porto Prague Riga Rome Rotterdam Salzburg Seattle
Seville Singapore Sofia Stockholm Stuttgart Sydney Tallinn Toronto Toulouse Trieste Turin Utrecht Valencia Vienna
Vilnius Warsaw Zagreb Zurich
"""

NOUNS = tuple(_NOUNS.split())
ADJECTIVES = tuple(_ADJECTIVES.split())
VERBS = tuple(_VERBS.split())
ADVERBS = tuple(_ADVERBS.split())
GIVEN_NAMES = tuple(_GIVEN_NAMES.split())
FAMILY_NAMES = tuple(_FAMILY_NAMES.split())
PLACES = tuple(_PLACES.split())
