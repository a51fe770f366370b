-- Which of the new arrivals are not judged anew anyway? By way of a join of the two, whose hash
-- table is of the smaller one: the pairs judged anew can be all of history.
SELECT place
FROM arrived
ANTI JOIN (SELECT a.place FROM {rejudged} r JOIN arrived a USING (message, dataset)) USING (place)
