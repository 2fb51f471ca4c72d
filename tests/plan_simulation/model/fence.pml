/* Fence, serve and the last node: what of coordinator/plan is a protocol, on two nodes. Every
   interleaving of nodes that call and obey, of a coordinator that hears, decides, stores, tells and
   dies in between, and of its store being replaced by an older copy.

   Claimed: one node always serves (no machine fails by itself here); an older store moves nobody.
   With one of these defined the model has an error, as ./check sees:
     PLANT_LAST     fences whoever is wrong
     PLANT_SAID     counts on what a node said, whatever it was told since
     PLANT_UNHEARD  decides before all are heard
     PLANT_OLDER    does not ask whether a node goes by a later order than the store has */

#define NODES 2
#define MOST_ORDERS 3

mtype = { serving, fenced };

/* The nodes. */
mtype is[NODES] = serving;
byte order[NODES];          /* taken */
bool wrong[NODES];          /* what fences is so there */
mtype got[NODES] = serving; /* the answer to its latest call; a later call has another */
byte got_order[NODES];      /* 0: none */
bool got_of_older[NODES];

/* The store, and its copy. Orders are above all that were ever given: epochs are times. */
mtype stored[NODES] = serving;
byte stored_order[NODES];
mtype copy[NODES] = serving;
byte copy_order[NODES];
bool copied;
bool older;                 /* a node has taken what the store that was put back had not given */
byte ever;

/* The coordinator. */
bool runs = true;
bool heard[NODES];
mtype said[NODES] = serving;
byte said_order[NODES];
bool said_wrong[NODES];
mtype told[NODES] = serving;
byte told_order[NODES];     /* 0: nothing */
bool decided;
bool written;
byte who;
mtype to = serving;

byte faults = 3;
byte crashes = 1;
byte restores = 1;

#ifdef PLANT_UNHEARD
#define ALL_HEARD true
#else
#define ALL_HEARD (heard[0] && heard[1])
#endif

#ifdef PLANT_OLDER
#define IS_NEWEST true
#else
#define IS_NEWEST (said_order[0] <= stored_order[0] && said_order[1] <= stored_order[1])
#endif

#define TAKEN(n) (said_order[n] >= stored_order[n])

#if defined(PLANT_LAST)
#define COUNTS_ON(m) true
#elif defined(PLANT_SAID)
#define COUNTS_ON(m) (said[m] == serving && !said_wrong[m])
#else
#define COUNTS_ON(m) (said[m] == serving && !said_wrong[m] && stored[m] == serving && TAKEN(m))
#endif

inline forgets(m) {
  heard[m] = false;
  told[m] = serving;
  told_order[m] = 0;
#ifndef PLANT_UNHEARD
  said[m] = serving;
  said_order[m] = 0;
  said_wrong[m] = false;
#endif
}

inline dies() {
  runs = false;
  forgets(0);
  forgets(1);
  decided = false;
  written = false;
  who = 0;
  to = serving;
}

proctype node(byte n) {
end:
  do
  :: atomic { faults > 0 -> faults--; wrong[n] = !wrong[n] }
  :: atomic { /* calls, and gets what was told until now */
       runs ->
       heard[n] = true;
       said[n] = is[n];
       said_order[n] = order[n];
       said_wrong[n] = wrong[n];
       got[n] = told[n];
       got_order[n] = told_order[n];
       got_of_older[n] = older
     }
  :: atomic { /* obeys */
       got_order[n] > order[n] ->
       assert(!(got_of_older[n] && got[n] != is[n]));
       is[n] = got[n];
       order[n] = got_order[n];
       got[n] = serving;
       got_order[n] = 0;
       got_of_older[n] = false;
       assert(is[0] == serving || is[1] == serving)
     }
  od
}

proctype coordinator() {
  byte n;
end:
  do
  :: atomic { !runs -> runs = true }
  :: atomic { runs && crashes > 0 -> crashes--; dies() }
  :: atomic { /* decides */
       runs && !decided && ALL_HEARD && IS_NEWEST && ever < MOST_ORDERS ->
       if
       :: n = 0
       :: n = 1
       fi;
       if
       :: said_wrong[n] && said[n] == serving && stored[n] == serving && TAKEN(n) &&
          COUNTS_ON(1 - n) ->
          who = n; to = fenced; decided = true
       :: !said_wrong[n] && said[n] == fenced && stored[n] == fenced && TAKEN(n) ->
          who = n; to = serving; decided = true
       :: /* what an earlier one had stored and the node has not taken is decided anew */
          !said_wrong[n] && said[n] == serving && !TAKEN(n) && told_order[n] == 0 ->
          who = n; to = serving; decided = true
       :: else -> skip
       fi;
       n = 0
     }
  :: atomic { /* stores */
       runs && decided && !written ->
       ever++;
       stored[who] = to;
       stored_order[who] = ever;
       written = true
     }
  :: atomic { /* tells */
       runs && written ->
       told[who] = stored[who];
       told_order[who] = stored_order[who];
       decided = false;
       written = false;
       who = 0;
       to = serving
     }
  :: atomic { /* tells what an earlier one had stored, once it is known what the nodes are */
       runs && !decided && ALL_HEARD && IS_NEWEST ->
       if
       :: stored_order[0] > said_order[0] && told_order[0] == 0 ->
          told[0] = stored[0]; told_order[0] = stored_order[0]
       :: stored_order[1] > said_order[1] && told_order[1] == 0 ->
          told[1] = stored[1]; told_order[1] = stored_order[1]
       :: else -> skip
       fi
     }
  :: atomic { /* the store is copied */
       !copied ->
       copied = true;
       copy[0] = stored[0];
       copy[1] = stored[1];
       copy_order[0] = stored_order[0];
       copy_order[1] = stored_order[1]
     }
  :: atomic { /* the copy is put back */
       copied && restores > 0 ->
       restores--;
       older = order[0] > copy_order[0] || order[1] > copy_order[1];
       stored[0] = copy[0];
       stored[1] = copy[1];
       stored_order[0] = copy_order[0];
       stored_order[1] = copy_order[1];
       dies()
     }
  od
}

init {
  atomic {
    run node(0);
    run node(1);
    run coordinator()
  }
}
