-- A store as the first version of keyway-cse left it (schema 0), row for row.
PRAGMA journal_mode=WAL;
CREATE TABLE resource(id INTEGER PRIMARY KEY, parent INTEGER NOT NULL, type INTEGER NOT NULL, ri TEXT NOT NULL, rn TEXT NOT NULL, root TEXT NOT NULL, creator TEXT NOT NULL, body BLOB NOT NULL);
CREATE UNIQUE INDEX resource_ri ON resource(ri);
CREATE UNIQUE INDEX resource_name ON resource(parent, rn);
CREATE INDEX resource_child ON resource(parent, type, id);
CREATE TABLE number(next INTEGER NOT NULL);
INSERT INTO number VALUES(1001);
INSERT INTO resource VALUES(1, 0, 5, 'id-in', 'cse-in', 'm2m:cb', '/id-in',
    CAST('{"rn":"cse-in","ty":5,"ri":"id-in","ct":"20261121T092814","lt":"20261121T092814","csi":"/id-in","cst":1,"srt":[1,2,3,4,5,16,23,28],"srv":["2a","3"],"poa":["http://127.0.0.1:18123"]}' AS BLOB));
INSERT INTO resource VALUES(2, 1, 2, 'Csensor', 'sensor', 'm2m:ae', '/id-in/Csensor',
    CAST('{"rn":"sensor","ty":2,"ri":"Csensor","pi":"id-in","ct":"20261121T092815","lt":"20261121T092815","api":"N.sensor","rr":false,"srv":["3"],"lbl":["cold", "room"],"et":"20991231T235959","aei":"Csensor"}' AS BLOB));
INSERT INTO resource VALUES(3, 1, 2, 'Capp', 'app', 'm2m:ae', '/id-in/Capp',
    CAST('{"rn":"app","ty":2,"ri":"Capp","pi":"id-in","ct":"20261121T092815","lt":"20261121T092815","api":"N.app","rr":true,"srv":["3"],"poa":["http://127.0.0.1:9/"],"et":"20991231T235959","aei":"Capp"}' AS BLOB));
INSERT INTO resource VALUES(4, 1, 1, 'acp3', 'policy', 'm2m:acp', '/id-in/CAdmin',
    CAST('{"rn":"policy","ty":1,"ri":"acp3","pi":"id-in","ct":"20261121T092815","lt":"20261121T092815","pv":{"acr": [{"acor": ["Capp"], "acop": 34}, {"acor": ["Csensor"], "acop": 63}]},"pvs":{"acr": [{"acor": ["CAdmin"], "acop": 63}]},"et":"20991231T235959"}' AS BLOB));
INSERT INTO resource VALUES(5, 2, 3, 'cnt4', 'values', 'm2m:cnt', '/id-in/Csensor',
    CAST('{"rn":"values","ty":3,"ri":"cnt4","pi":"Csensor","ct":"20261121T092815","lt":"20261121T092815","mni":5,"lbl":["cold"],"acpi":["cse-in/policy"],"et":"20991231T235959","cni":5,"cbs":20,"st":7}' AS BLOB));
INSERT INTO resource VALUES(6, 2, 3, 'cnt5', 'cnt5', 'm2m:cnt', '/id-in/Csensor',
    CAST('{"rn":"cnt5","ty":3,"ri":"cnt5","pi":"Csensor","ct":"20261121T092815","lt":"20261121T092815","et":"20991231T235959","cni":0,"cbs":0,"st":0}' AS BLOB));
INSERT INTO resource VALUES(7, 5, 3, 'cnt6', 'inner', 'm2m:cnt', '/id-in/Csensor',
    CAST('{"rn":"inner","ty":3,"ri":"cnt6","pi":"cnt4","ct":"20261121T092815","lt":"20261121T092815","et":"20991231T235959","cni":2,"cbs":31,"st":2}' AS BLOB));
INSERT INTO resource VALUES(10, 5, 4, 'cin9', 'cin9', 'm2m:cin', '/id-in/Csensor',
    CAST('{"rn":"cin9","ty":4,"ri":"cin9","pi":"cnt4","ct":"20261121T092815","lt":"20261121T092815","con":"2.50","cnf":"text/plain:0","et":"20991231T235959","cs":4}' AS BLOB));
INSERT INTO resource VALUES(11, 5, 4, 'cina', 'cina', 'm2m:cin', '/id-in/Csensor',
    CAST('{"rn":"cina","ty":4,"ri":"cina","pi":"cnt4","ct":"20261121T092815","lt":"20261121T092815","con":"3.50","cnf":"text/plain:0","et":"20991231T235959","cs":4}' AS BLOB));
INSERT INTO resource VALUES(12, 5, 4, 'cinb', 'cinb', 'm2m:cin', '/id-in/Csensor',
    CAST('{"rn":"cinb","ty":4,"ri":"cinb","pi":"cnt4","ct":"20261121T092815","lt":"20261121T092815","con":"4.50","cnf":"text/plain:0","et":"20991231T235959","cs":4}' AS BLOB));
INSERT INTO resource VALUES(13, 5, 4, 'cinc', 'named5', 'm2m:cin', '/id-in/Csensor',
    CAST('{"rn":"named5","ty":4,"ri":"cinc","pi":"cnt4","ct":"20261121T092815","lt":"20261121T092815","con":"5.50","cnf":"text/plain:0","et":"20991231T235959","cs":4}' AS BLOB));
INSERT INTO resource VALUES(14, 5, 4, 'cind', 'cind', 'm2m:cin', '/id-in/Csensor',
    CAST('{"rn":"cind","ty":4,"ri":"cind","pi":"cnt4","ct":"20261121T092815","lt":"20261121T092815","con":"6.50","cnf":"text/plain:0","et":"20991231T235959","lbl":["far"],"cs":4}' AS BLOB));
INSERT INTO resource VALUES(15, 7, 4, 'cine', 'cine', 'm2m:cin', '/id-in/Csensor',
    CAST('{"rn":"cine","ty":4,"ri":"cine","pi":"cnt6","ct":"20261121T092815","lt":"20261121T092815","con":"K\u00fchlraum \u6e29 \ud83d\ude00 \"quoted\"","et":"20991231T235959","cs":27}' AS BLOB));
INSERT INTO resource VALUES(16, 7, 4, 'cinf', 'cinf', 'm2m:cin', '/id-in/Csensor',
    CAST('{"rn":"cinf","ty":4,"ri":"cinf","pi":"cnt6","ct":"20261121T092815","lt":"20261121T092815","con":"soon","et":"20261121T092915","cs":4}' AS BLOB));
INSERT INTO resource VALUES(17, 5, 23, 'sub10', 'watch', 'm2m:sub', '/id-in/Csensor',
    CAST('{"rn":"watch","ty":23,"ri":"sub10","pi":"cnt4","ct":"20261121T092815","lt":"20261121T092815","nu":["/id-in/Capp"],"nct":1,"enc":{"net": [3]},"et":"20991231T235959"}' AS BLOB));
INSERT INTO resource VALUES(18, 1, 16, 'csr11', 'mn', 'm2m:csr', '/id-mn',
    CAST('{"rn":"mn","ty":16,"ri":"csr11","pi":"id-in","ct":"20261121T092815","lt":"20261121T092815","csi":"/id-mn","cb":"/id-mn/cse-mn","rr":true,"poa":["http://127.0.0.1:9/"],"srv":["3"],"et":"20991231T235959"}' AS BLOB));
INSERT INTO resource VALUES(19, 2, 28, 'fcnt12', 'switch', 'cod:binSh', '/id-in/Csensor',
    CAST('{"rn":"switch","ty":28,"ri":"fcnt12","pi":"Csensor","ct":"20261121T092815","lt":"20261121T092815","cnd":"org.onem2m.common.moduleclass.binarySwitch","powSe":true,"et":"20991231T235959","st":0}' AS BLOB));
INSERT INTO resource VALUES(20, 2, 28, 'fcnt13', 'tempe', 'cod:tempe', '/id-in/Csensor',
    CAST('{"rn":"tempe","ty":28,"ri":"fcnt13","pi":"Csensor","ct":"20261121T092815","lt":"20261121T092815","cnd":"org.onem2m.common.moduleclass.temperature","curT0":21.5,"et":"20991231T235959","st":0}' AS BLOB));
