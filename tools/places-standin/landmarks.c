#include "landmarks.h"

#define POI "point_of_interest,establishment"

/* clang-format off */
const struct landmark landmarks[] = {
    /* Los Angeles, near the coordinates of the protocol's examples */
    {"UCLA Powell Library", 34.0716, -118.4422, "library," POI, "10740 Dickson Plaza, Los Angeles"},
    {"Royce Hall", 34.0728, -118.4422, "performing_arts_theater," POI, "10745 Dickson Plaza, Los Angeles"},
    {"Boelter Hall", 34.0691, -118.4430, "university," POI, "580 Portola Plaza, Los Angeles"},
    {"Ackerman Union", 34.0705, -118.4441, "university," POI, "308 Westwood Plaza, Los Angeles"},
    {"Pauley Pavilion", 34.0703, -118.4469, "stadium," POI, "301 Westwood Plaza, Los Angeles"},
    {"Fowler Museum at UCLA", 34.0731, -118.4431, "museum," POI, "308 Charles E. Young Drive North, Los Angeles"},
    {"Mildred E. Mathias Botanical Garden", 34.0651, -118.4413, "park," POI, "777 Tiverton Drive, Los Angeles"},
    {"Ronald Reagan UCLA Medical Center", 34.0664, -118.4466, "hospital,health," POI, "757 Westwood Plaza, Los Angeles"},
    {"Hammer Museum", 34.0594, -118.4437, "museum," POI, "10899 Wilshire Boulevard, Los Angeles"},
    {"Regency Bruin Theatre", 34.0629, -118.4474, "movie_theater," POI, "948 Broxton Avenue, Los Angeles"},
    {"Diddy Riese Cookies", 34.0630, -118.4468, "bakery,food,store," POI, "926 Broxton Avenue, Los Angeles"},
    {"The Getty", 34.0780, -118.4741, "museum,tourist_attraction," POI, "1200 Getty Center Drive, Los Angeles"},
    {"Griffith Observatory", 34.1184, -118.3004, "tourist_attraction,museum," POI, "2800 East Observatory Road, Los Angeles"},
    {"Santa Monica Pier", 34.0086, -118.4986, "tourist_attraction," POI, "200 Santa Monica Pier, Santa Monica"},
    {"Hollywood Sign", 34.1341, -118.3215, "tourist_attraction," POI, "Mount Lee, Los Angeles"},
    {"Los Angeles International Airport", 33.9416, -118.4085, "airport," POI, "1 World Way, Los Angeles"},
    {"Walt Disney Concert Hall", 34.0553, -118.2498, "performing_arts_theater," POI, "111 South Grand Avenue, Los Angeles"},
    {"Dodger Stadium", 34.0739, -118.2400, "stadium," POI, "1000 Vin Scully Avenue, Los Angeles"},
    {"Union Station", 34.0562, -118.2365, "train_station,transit_station," POI, "800 North Alameda Street, Los Angeles"},
    {"Los Angeles County Museum of Art", 34.0639, -118.3592, "museum,tourist_attraction," POI, "5905 Wilshire Boulevard, Los Angeles"},
    {"Venice Beach Boardwalk", 33.9850, -118.4695, "tourist_attraction," POI, "1800 Ocean Front Walk, Venice"},
    {"Rose Bowl", 34.1613, -118.1676, "stadium," POI, "1001 Rose Bowl Drive, Pasadena"},

    /* Slovenia and Croatia, near the recorded tracks */
    {"Postojnska jama", 45.7826, 14.2038, "tourist_attraction," POI, "Jamska cesta 30, Postojna"},
    {"Predjamski grad", 45.8158, 14.1268, "castle,tourist_attraction," POI, "Predjama 1, Postojna"},
    {"Cerkniško jezero", 45.7500, 14.3667, "lake,natural_feature," POI, "Dolenje Jezero"},
    {"Slivnica", 45.7872, 14.4031, "mountain_peak,natural_feature," POI, "Begunje pri Cerknici"},
    {"Rakov Škocjan", 45.7917, 14.2858, "park,tourist_attraction," POI, "Rakek"},
    {"Križna jama", 45.7453, 14.4672, "tourist_attraction," POI, "Bloška Polica"},
    {"Škocjanske jame", 45.6636, 13.9893, "tourist_attraction," POI, "Škocjan 2, Divača"},
    {"Snežnik", 45.5886, 14.4475, "mountain_peak,natural_feature," POI, "Ilirska Bistrica"},
    {"Park vojaške zgodovine", 45.6667, 14.1897, "museum," POI, "Kolodvorska cesta 51, Pivka"},
    {"Žbevnica", 45.4524, 14.0182, "mountain_peak,natural_feature," POI, "Brest, Buzet"},
    {"Buzet", 45.4094, 13.9667, "locality,political", "Buzet"},
    {"Hum, najmanji grad na svijetu", 45.3486, 14.0500, "locality,political", "Hum"},
    {"Roč", 45.3911, 14.0478, "locality,political", "Roč"},
    {"Vojak, Učka", 45.2853, 14.2026, "mountain_peak,natural_feature," POI, "Park prirode Učka"},
    {"Villa Angiolina", 45.3354, 14.3083, "museum,tourist_attraction," POI, "Park Angiolina 1, Opatija"},
    {"Kastav", 45.3736, 14.3489, "locality,political", "Kastav"},
    {"Trsatska gradina", 45.3328, 14.4553, "castle,tourist_attraction," POI, "Petra Zrinskog, Rijeka"},
    {"Ljubljanski grad", 46.0489, 14.5086, "castle,tourist_attraction," POI, "Grajska planota 1, Ljubljana"},
    {"Blejsko jezero", 46.3636, 14.0938, "lake,natural_feature," POI, "Bled"},
    {"Pulska Arena", 44.8733, 13.8500, "tourist_attraction," POI, "Flavijevska ulica, Pula"},

    /* Sydney */
    {"Sydney Opera House", -33.8568, 151.2153, "performing_arts_theater,tourist_attraction," POI, "Bennelong Point, Sydney"},
    {"Sydney Harbour Bridge", -33.8523, 151.2108, "bridge,tourist_attraction," POI, "Sydney Harbour Bridge, Sydney"},
    {"Circular Quay Station", -33.8613, 151.2109, "train_station,transit_station," POI, "Alfred Street, Sydney"},
    {"Royal Botanic Garden Sydney", -33.8642, 151.2166, "park,tourist_attraction," POI, "Mrs Macquaries Road, Sydney"},
    {"Queen Victoria Building", -33.8718, 151.2067, "shopping_mall," POI, "455 George Street, Sydney"},
    {"Taronga Zoo Sydney", -33.8433, 151.2411, "zoo,tourist_attraction," POI, "Bradleys Head Road, Mosman"},
    {"Bondi Beach", -33.8915, 151.2767, "natural_feature,tourist_attraction," POI, "Bondi Beach"},

    /* Boston */
    {"Faneuil Hall", 42.3601, -71.0549, "tourist_attraction," POI, "1 Faneuil Hall Square, Boston"},
    {"Fenway Park", 42.3467, -71.0972, "stadium," POI, "4 Jersey Street, Boston"},
    {"MIT Great Dome", 42.3598, -71.0921, "university," POI, "77 Massachusetts Avenue, Cambridge"},
    {"Harvard Yard", 42.3744, -71.1169, "university," POI, "Harvard Yard, Cambridge"},
    {"Boston Common", 42.3550, -71.0656, "park," POI, "139 Tremont Street, Boston"},

    /* London */
    {"Big Ben", 51.5007, -0.1246, "tourist_attraction," POI, "London SW1A 0AA"},
    {"Tower Bridge", 51.5055, -0.0754, "bridge,tourist_attraction," POI, "Tower Bridge Road, London"},
    {"British Museum", 51.5194, -0.1270, "museum,tourist_attraction," POI, "Great Russell Street, London"},
    {"Royal Observatory Greenwich", 51.4769, -0.0005, "museum,tourist_attraction," POI, "Blackheath Avenue, London"},
    {"King's Cross Station", 51.5308, -0.1238, "train_station,transit_station," POI, "Euston Road, London"},

    /* Tokyo */
    {"東京タワー", 35.6586, 139.7454, "tourist_attraction," POI, "港区芝公園４丁目２−８"},
    {"浅草寺", 35.7148, 139.7967, "place_of_worship,tourist_attraction," POI, "台東区浅草２丁目３−１"},
    {"東京駅", 35.6812, 139.7671, "train_station,transit_station," POI, "千代田区丸の内１丁目"},
    {"渋谷スクランブル交差点", 35.6595, 139.7005, "tourist_attraction," POI, "渋谷区道玄坂２丁目"},

    /* One here and there, and the places where coordinates are odd */
    {"Tour Eiffel", 48.8584, 2.2945, "tourist_attraction," POI, "5 Avenue Anatole France, Paris"},
    {"Colosseo", 41.8902, 12.4922, "tourist_attraction," POI, "Piazza del Colosseo 1, Roma"},
    {"Zürich HB", 47.3779, 8.5403, "train_station,transit_station," POI, "Bahnhofplatz, Zürich"},
    {"Hallgrímskirkja", 64.1417, -21.9266, "church,place_of_worship," POI, "Hallgrímstorg 1, Reykjavík"},
    {"Cristo Redentor", -22.9519, -43.2105, "tourist_attraction," POI, "Parque Nacional da Tijuca, Rio de Janeiro"},
    {"أهرامات الجيزة", 29.9792, 31.1342, "tourist_attraction," POI, "الجيزة"},
    {"Statue of Liberty", 40.6892, -74.0445, "tourist_attraction," POI, "Liberty Island, New York"},
    {"Golden Gate Bridge", 37.8199, -122.4783, "bridge,tourist_attraction," POI, "Golden Gate Bridge, San Francisco"},
    {"180th Meridian, Taveuni", -16.7900, 180.0, "tourist_attraction," POI, "Waiyevo"},
    {"Station 13010 (\"Null Island\")", 0.0, 0.0, POI, "Gulf of Guinea"},
    {"Amundsen–Scott South Pole Station", -90.0, 0.0, POI, "South Pole"},
};
/* clang-format on */

const size_t landmark_count = sizeof landmarks / sizeof landmarks[0];
