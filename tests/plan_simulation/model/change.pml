/* A newer version of Connect: what of coordinator/plan/change is a protocol, on two nodes. All stop
   and say so, the generation is put into force, one node alone is changed and started and migrates
   the database, is seen to be right, and then the other goes on; a person may go back. Every
   interleaving of nodes that call, obey and work, and of a coordinator that decides, stores, tells
   and dies in between. WITH_LOSS: a node dies, is declared gone perhaps, and returns. WITH_STORE:
   the coordinator's store is replaced by an older copy. WITH_PEOPLE: the change is approved, and
   that taken back; the first fails before it has migrated anything; and a person applies another
   generation with the same version, for that or for nothing, and whoever is the first then.
   Not modelled: a node that is lost beside a store that is replaced: the copy may say of one that
   is back that it is gone, and who knew that the copy is older may be gone; nor a start that fails
   once it has migrated anything.

   Claimed, wherever Connect starts: no other version runs; none that is newer has migrated the
   database; while it is not known that the first of a generation is right, no other one starts as
   that; and what is newer than what was right was approved, as the generation that it is started by.
   REACH_DONE: that a change never ends well, though what the variant is about has happened, which
   is to be found wrong. With one of these defined the model has an error, as ./check sees:
     PLANT_UNAPPROVED  begins, whether a person approves or not
     PLANT_KNOWN    what was started once needs no approval, whatever became of that
     PLANT_UNACKED  who was told to stop has stopped
     PLANT_LOST     who is lost has stopped, though nobody said that it is gone
     PLANT_RETURN   who was declared gone and returns starts what it has
     PLANT_REST     the other does not wait until the first is right
     PLANT_BACK     goes back to the version before, whatever has been started
     PLANT_NOTE     remembers what was started once it is seen to run, not before it is told to
     PLANT_OLDER    does not ask whether a node goes by a later order than the store has */

#define NODES 2
#ifndef MOST_ORDERS
#define MOST_ORDERS 5
#endif
#define OLD 1
#define NEW 2
/* Of generations: 1 was before, 2 is the newer one, 3 goes back, 4 is 2 again, corrected. */
#define VERSION(g) ((g) == 2 || (g) == 4 -> NEW : OLD)

mtype = { up, stopped };

/* The nodes. */
mtype is[NODES] = up;
byte gen[NODES] = 1;
byte order[NODES];          /* taken */
bool connect[NODES] = true; /* runs */
byte has[NODES] = OLD;
bool power[NODES] = true;
bool failed[NODES];         /* to start, and tries it no more before it is told anything */
bool told_since[NODES] = true; /* the boot: else it starts nothing where it was away for long */
mtype got[NODES] = up;      /* the answer to its latest call */
byte got_gen[NODES];
byte got_order[NODES];      /* 0: none */

/* The database, and what is true of the first. */
byte schema = OLD;
byte mover;                 /* who started first by the generation below */
byte mover_gen;             /* 0: nobody a newer one */
bool right;
bool said_gone[NODES];      /* ever */
bool consent;               /* generation 2 was approved, ever; so was 4 */
bool consent_again;

/* The store, and its copy. Orders are above all that were ever given: epochs are times. */
mtype stored[NODES] = up;
byte stored_gen[NODES] = 1;
byte stored_order[NODES];
byte in_force = 1;
bool begun;
byte first;
bool verified;
byte newest = OLD;
bool gone[NODES];
bool withheld[NODES];       /* of one that was declared gone: what it was told before */
mtype copy[NODES] = up;
byte copy_gen[NODES] = 1;
byte copy_order[NODES];
byte copy_in_force = 1;
bool copy_begun;
byte copy_first;
bool copy_verified;
byte copy_newest = OLD;
bool copied;
byte ever;

/* The coordinator. */
bool runs = true;
bool heard[NODES];
mtype said[NODES] = up;
byte said_order[NODES];
bool said_runs[NODES];
byte said_has[NODES];
mtype told[NODES] = up;
byte told_gen[NODES];
byte told_order[NODES];     /* 0: nothing */

/* People. Of the generation to come, 4 once it is applied. */
bool approved;
bool again;                 /* 4 is applied, and not in force */
#ifdef WITH_PEOPLE
byte approvals = 2;
byte takes = 1;
byte failures = 1;
#else
byte approvals = 0;
byte takes = 0;
byte failures = 0;
#endif

byte crashes = 1;
#ifdef WITH_LOSS
byte losses = 1;
#else
byte losses = 0;
#endif
#ifdef WITH_STORE
byte restores = 1;
#else
byte restores = 0;
#endif

#define IS_HEARD(n) (heard[n] || gone[n])
#define ALL_HEARD (IS_HEARD(0) && IS_HEARD(1))

#ifdef PLANT_OLDER
#define IS_NEWEST true
#else
#define IS_NEWEST (said_order[0] <= stored_order[0] && said_order[1] <= stored_order[1])
#endif

#define MAY_DECIDE (runs && ALL_HEARD && IS_NEWEST && ever < MOST_ORDERS)

#define SAYS_STOPPED(n) (heard[n] && said[n] == stopped && !said_runs[n] && \
                         stored[n] == stopped && said_order[n] >= stored_order[n])

#if defined(PLANT_UNACKED)
#define IS_STOPPED(n) (stored[n] == stopped)
#elif defined(PLANT_LOST)
#define IS_STOPPED(n) (gone[n] || SAYS_STOPPED(n) || !power[n])
#else
#define IS_STOPPED(n) (gone[n] || SAYS_STOPPED(n))
#endif

#define IS_NEW (in_force == 2 || in_force == 4)
#define IS_TO_REST(n) (begun && (in_force == 1 || (IS_NEW && !verified && (again || first != n))))

/* One alone is changed, and not known to be right. */
#define IS_ALONE (IS_NEW && !verified && !again)

#ifdef PLANT_UNAPPROVED
#define IS_APPROVED true
#else
#define IS_APPROVED approved
#endif

#ifdef PLANT_KNOWN
#define IS_APPROVED_AGAIN (approved || newest == NEW)
#else
#define IS_APPROVED_AGAIN IS_APPROVED
#endif

/* What the variant is about has happened. */
#define HAS_HAPPENED (losses == 0 && restores == 0 && failures == 0)

/* It rests, as it said itself, and is free to be told something else. */
#define RESTS(n) (heard[n] && !gone[n] && !said_runs[n] && \
                  (said_order[n] >= stored_order[n] || withheld[n]))

/* It has the order to start, perhaps, and is not known to have answered or ended since. */
#define MAY_BE_MIGRATING(n) (stored[n] == up && !gone[n] && \
                             !(heard[n] && said_order[n] >= stored_order[n]))

#ifdef PLANT_REST
#define LETS_GO true
#else
#define LETS_GO verified
#endif

#ifdef PLANT_BACK
#define MAY_GO_BACK true
#else
#define MAY_GO_BACK (newest == OLD)
#endif

#ifdef PLANT_RETURN
#define MAY_START(n) true
#else
#define MAY_START(n) told_since[n]
#endif

inline forgets(m) {
  heard[m] = false;
  said[m] = up;
  said_order[m] = 0;
  said_runs[m] = false;
  said_has[m] = 0;
  told[m] = up;
  told_gen[m] = 0;
  told_order[m] = 0;
}

inline dies() {
  runs = false;
  forgets(0);
  forgets(1);
}

/* Stored: to be told from the next step on. */
inline orders(m, to) {
  stored[m] = to;
  stored_gen[m] = in_force;
  stored_order[m] = ever;
  withheld[m] = false
}

inline starts(m) {
  assert(!connect[1 - m] || has[1 - m] == has[m]);
  assert(has[m] >= schema);
  assert(right || has[m] == OLD || mover_gen < gen[m] ||
         (mover_gen == gen[m] && (mover == m || said_gone[mover])));
  assert(has[m] == OLD || (gen[m] == 4 -> consent_again : consent));
  if
  :: has[m] == NEW && mover_gen < gen[m] -> mover = m; mover_gen = gen[m]; right = false
  :: else -> skip
  fi;
  if
  :: has[m] > schema -> schema = has[m]
  :: else -> skip
  fi;
  connect[m] = true
}

proctype node(byte n) {
end:
  do
  :: atomic { /* calls, and gets what was told until now */
       power[n] && runs ->
       heard[n] = true;
       gone[n] = false;
       said[n] = is[n];
       said_order[n] = order[n];
       said_runs[n] = connect[n];
       said_has[n] = has[n];
       if
       :: connect[n] && has[n] == NEW && gen[n] == mover_gen -> right = true
       :: else -> skip
       fi;
#ifdef PLANT_NOTE
       if
       :: connect[n] && has[n] == NEW -> newest = NEW
       :: else -> skip
       fi;
#endif
       got[n] = told[n];
       got_gen[n] = told_gen[n];
       got_order[n] = told_order[n];
       if
       :: told_order[n] > 0 && told_order[n] <= order[n] -> told_since[n] = true
       :: else -> skip
       fi
     }
  :: atomic { /* obeys */
       power[n] && got_order[n] > order[n] ->
       is[n] = got[n];
       gen[n] = got_gen[n];
       order[n] = got_order[n];
       failed[n] = false;
       told_since[n] = true;
       got[n] = up;
       got_gen[n] = 0;
       got_order[n] = 0
     }
  :: atomic { power[n] && is[n] == stopped && connect[n] -> connect[n] = false }
  :: atomic { power[n] && is[n] == up && !connect[n] && has[n] != VERSION(gen[n]) ->
       has[n] = VERSION(gen[n])
     }
  :: atomic { power[n] && is[n] == up && !connect[n] && has[n] == VERSION(gen[n]) &&
              MAY_START(n) && !failed[n] ->
       starts(n)
     }
  :: atomic { /* in vain: it ends before it has migrated anything */
       power[n] && is[n] == up && !connect[n] && has[n] == VERSION(gen[n]) && MAY_START(n) &&
       !failed[n] && has[n] > schema && failures > 0 ->
       failures--;
       failed[n] = true
     }
  :: atomic { power[n] && losses > 0 ->
       losses--;
       power[n] = false;
       connect[n] = false;
       got[n] = up;
       got_gen[n] = 0;
       got_order[n] = 0
     }
  :: atomic { /* returns: where it was counted out it waits until it is told anything */
       !power[n] -> power[n] = true; told_since[n] = !said_gone[n]
     }
  od
}

proctype coordinator() {
  byte n;
end:
  do
  :: atomic { !runs -> runs = true }
  :: atomic { runs && crashes > 0 -> crashes--; dies() }
  :: atomic { /* begins: all that are there are to stop */
       MAY_DECIDE && !begun && in_force == 1 && IS_APPROVED ->
       begun = true;
       ever++;
       if
       :: !gone[0] -> orders(0, stopped)
       :: else -> skip
       fi;
       if
       :: !gone[1] -> orders(1, stopped)
       :: else -> skip
       fi
     }
  :: atomic { /* all have: it is in force */
       MAY_DECIDE && begun && in_force == 1 && IS_APPROVED && IS_STOPPED(0) && IS_STOPPED(1) ->
       if
       :: !gone[0] -> first = 0; in_force = 2
       :: !gone[1] -> first = 1; in_force = 2
       :: else -> skip
       fi
     }
  :: atomic { /* no longer approved: all go back */
       MAY_DECIDE && begun && in_force == 1 && !IS_APPROVED ->
       begun = false;
       ever++;
       if
       :: !gone[0] && stored[0] == stopped -> orders(0, up)
       :: else -> skip
       fi;
       if
       :: !gone[1] && stored[1] == stopped -> orders(1, up)
       :: else -> skip
       fi
     }
  :: atomic { /* a person goes back from it, or it failed, and another is applied: all are to rest */
       MAY_DECIDE && in_force == 2 && IS_ALONE && approvals > 0 && !MAY_BE_MIGRATING(first) ->
       again = true;
       approved = false;
       if
       :: !gone[first] && stored[first] == up -> ever++; orders(first, stopped)
       :: else -> skip
       fi
     }
  :: atomic { /* and is in force */
       MAY_DECIDE && again && IS_APPROVED_AGAIN && IS_STOPPED(0) && IS_STOPPED(1) ->
       if
       :: !gone[0] -> first = 0; in_force = 4; again = false
       :: !gone[1] -> first = 1; in_force = 4; again = false
       :: else -> skip
       fi
     }
  :: atomic { /* the first, alone */
       MAY_DECIDE && IS_ALONE && stored[first] == stopped && RESTS(first) ->
       ever++;
#ifndef PLANT_NOTE
       newest = NEW;
#endif
       orders(first, up)
     }
  :: atomic { /* another first */
       MAY_DECIDE && IS_ALONE && gone[first] && !gone[1 - first] ->
       first = 1 - first
     }
  :: atomic { /* who is back while all stop, or the first is alone */
       MAY_DECIDE && IS_TO_REST(0) && heard[0] && !gone[0] && stored[0] == up ->
       ever++;
       orders(0, stopped)
     }
  :: atomic {
       MAY_DECIDE && IS_TO_REST(1) && heard[1] && !gone[1] && stored[1] == up ->
       ever++;
       orders(1, stopped)
     }
  :: atomic { /* the first is right */
       MAY_DECIDE && IS_ALONE && said[first] == up && said_runs[first] &&
       said_has[first] == NEW && said_order[first] >= stored_order[first] ->
       verified = true
     }
  :: atomic { /* the rest */
       MAY_DECIDE && IS_NEW && !again && LETS_GO && RESTS(1 - first) &&
       (stored[1 - first] == stopped || withheld[1 - first]) ->
       ever++;
       n = 1 - first;
       orders(n, up);
       n = 0
     }
  :: atomic { /* a person goes back: all are to be stopped, as they are, or will be */
       MAY_DECIDE && in_force == 2 && IS_ALONE && MAY_GO_BACK ->
       in_force = 3;
       ever++;
       orders(0, stopped);
       orders(1, stopped)
     }
  :: atomic { /* with the version before */
       MAY_DECIDE && in_force == 3 && IS_STOPPED(0) && IS_STOPPED(1) ->
       ever++;
       if
       :: RESTS(0) && stored[0] == stopped -> orders(0, up)
       :: RESTS(1) && stored[1] == stopped -> orders(1, up)
       :: else -> ever--
       fi
     }
  :: atomic { /* tells what is stored, once it is known what the nodes are */
       runs && ALL_HEARD && IS_NEWEST ->
       if
       :: !withheld[0] ->
          told[0] = stored[0]; told_gen[0] = stored_gen[0]; told_order[0] = stored_order[0]
       :: else -> skip
       fi;
       if
       :: !withheld[1] ->
          told[1] = stored[1]; told_gen[1] = stored_gen[1]; told_order[1] = stored_order[1]
       :: else -> skip
       fi
     }
  :: atomic { /* a person approves what is to come, and takes that back */
       approvals > 0 && !approved && (in_force == 1 || again) ->
       approvals--;
       approved = true;
       if
       :: again -> consent_again = true
       :: else -> consent = true
       fi
     }
  :: atomic { approved && takes > 0 && (in_force == 1 || again) -> takes--; approved = false }
#ifdef REACH_DONE
  :: atomic { verified && connect[0] && connect[1] && has[0] == NEW && has[1] == NEW &&
              HAS_HAPPENED ->
       assert(false)
     }
#endif
  :: atomic { /* a person says that a machine is no more, and not of one that lives */
       runs && !power[0] && !gone[0] ->
       gone[0] = true; said_gone[0] = true; withheld[0] = true; forgets(0)
     }
  :: atomic {
       runs && !power[1] && !gone[1] ->
       gone[1] = true; said_gone[1] = true; withheld[1] = true; forgets(1)
     }
  :: atomic { /* the store is copied */
       restores > 0 && !copied ->
       copied = true;
       copy[0] = stored[0]; copy[1] = stored[1];
       copy_gen[0] = stored_gen[0]; copy_gen[1] = stored_gen[1];
       copy_order[0] = stored_order[0]; copy_order[1] = stored_order[1];
       copy_in_force = in_force; copy_begun = begun; copy_first = first;
       copy_verified = verified; copy_newest = newest
     }
  :: atomic { /* the copy is put back */
       copied && restores > 0 ->
       restores--;
       stored[0] = copy[0]; stored[1] = copy[1];
       stored_gen[0] = copy_gen[0]; stored_gen[1] = copy_gen[1];
       stored_order[0] = copy_order[0]; stored_order[1] = copy_order[1];
       in_force = copy_in_force; begun = copy_begun; first = copy_first;
       verified = copy_verified; newest = copy_newest;
       dies()
     }
  od
}

init {
  atomic {
#ifndef WITH_PEOPLE
    approved = true;
    consent = true;
#endif
    run node(0);
    run node(1);
    run coordinator()
  }
}
